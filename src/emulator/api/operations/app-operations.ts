// The apps' snapshot templates: where snapshots are stored and how often they are taken.
import type { AppSnapshotConfig } from '../../configurations.ts'
import { formatTime } from '../../iso-time.ts'
import { refuse } from '../rpc-errors.ts'
import { DONE, type Operation } from './operation.ts'

const DEFAULT_PAGE_SIZE = 10

export const addAppSnapshotConfig: Operation = {
  required: ['DomainName', 'AppName', 'TimeInterval', 'OssEndpoint', 'OssBucket'],
  run(params, { configurations, now }) {
    const { DomainName, AppName = '', OverwriteOssObject = '', SequenceOssObject = '' } = params
    if (!OverwriteOssObject && !SequenceOssObject) {
      return refuse('MissingParam', 'OverwriteOssObject or SequenceOssObject is missing')
    }
    if (configurations.apps(DomainName).some((app) => app.AppName === AppName)) {
      return refuse('ConfigAlreadyExists', 'Config already exists')
    }
    configurations.addApp(DomainName, {
      AppName,
      TimeInterval: Number(params.TimeInterval),
      OssEndpoint: params.OssEndpoint ?? '',
      OssBucket: params.OssBucket ?? '',
      OverwriteOssObject,
      SequenceOssObject,
      Callback: params.Callback ?? '',
      CreateTime: formatTime(now()),
    })
    return DONE
  },
}

export const describeSnapshotConfig: Operation = {
  required: ['DomainName'],
  run({ DomainName, AppName, Order = 'asc', ...page }, { configurations }) {
    const size = Number(page.PageSize ?? DEFAULT_PAGE_SIZE)
    const number = Number(page.PageNum ?? 1)
    const apps = configurations
      .apps(DomainName)
      .filter((app) => !AppName || app.AppName === AppName)
      .sort(Order === 'asc' ? byCreation : (a, b) => byCreation(b, a))
    const shown = apps.slice((number - 1) * size, number * size)
    return {
      fields: {
        PageNum: number,
        PageSize: size,
        Order,
        TotalNum: apps.length,
        TotalPage: Math.ceil(apps.length / size),
        LiveStreamSnapshotConfigList: {
          LiveStreamSnapshotConfig: shown.map((app) => ({ DomainName, ...app })),
        },
      },
    }
  },
}

function byCreation(a: AppSnapshotConfig, b: AppSnapshotConfig): number {
  return a.CreateTime.localeCompare(b.CreateTime) || a.AppName.localeCompare(b.AppName)
}
