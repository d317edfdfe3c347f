// The domain-level snapshot callback: `…LiveSnapshotNotifyConfig`.
import type { NotifyConfig } from '../../configurations.ts'
import { refuse } from '../rpc-errors.ts'
import type { Params } from '../rpc-signature.ts'
import { DONE, type Operation } from './operation.ts'
import { showKey } from './shown-key.ts'

const UNSET: NotifyConfig = { NotifyUrl: '', NotifyReqAuth: 'no', NotifyAuthKey: '' }

export const addNotifyConfig: Operation = {
  required: ['DomainName', 'NotifyUrl'],
  run(params, { configurations }) {
    if (lacksKey(params)) return refuse('MissingParam', 'NotifyAuthKey is missing')
    if (configurations.notify(params.DomainName)) {
      return refuse('ConfigAlreadyExists', 'Config already exists')
    }
    configurations.writeNotify(params.DomainName, { ...UNSET, ...given(params) })
    return DONE
  },
}

export const updateNotifyConfig: Operation = {
  required: ['DomainName'],
  run(params, { configurations, switches }) {
    if (lacksKey(params)) return refuse('MissingParam', 'NotifyAuthKey is missing')
    const current = configurations.notify(params.DomainName)
    if (!current) return refuse('ConfigNotFound', 'Config not found')
    const base = switches().partial_update === 'keeps' ? current : UNSET
    configurations.writeNotify(params.DomainName, { ...base, ...given(params) })
    return DONE
  },
}

export const describeNotifyConfig: Operation = {
  required: ['DomainName'],
  run({ DomainName }, { configurations, switches }) {
    const config = configurations.shownNotify(DomainName)
    const { describe_when_unset: whenUnset, key_shown: keyShown } = switches()
    if (config) {
      const { NotifyUrl, NotifyReqAuth, NotifyAuthKey } = config
      const key = showKey('NotifyAuthKey', NotifyAuthKey, keyShown)
      return { fields: { DomainName, NotifyUrl, NotifyReqAuth, ...key } }
    }
    switch (whenUnset) {
      case 'config_not_found':
        return refuse('ConfigNotFound', 'Config not found')
      case 'fields_absent':
        return { fields: { DomainName } }
      case 'fields_empty':
        return { fields: { DomainName, NotifyUrl: '', NotifyReqAuth: '', NotifyAuthKey: '' } }
    }
  },
}

export const deleteNotifyConfig: Operation = {
  required: ['DomainName'],
  run({ DomainName }, { configurations }) {
    if (!configurations.notify(DomainName)) return refuse('ConfigNotFound', 'Config not found')
    configurations.writeNotify(DomainName, undefined)
    return DONE
  },
}

function lacksKey(params: Params): boolean {
  return params.NotifyReqAuth === 'yes' && !params.NotifyAuthKey
}

/** The parameters that were sent; an empty one counts as left out. */
function given({ NotifyUrl, NotifyReqAuth, NotifyAuthKey }: Params): Partial<NotifyConfig> {
  return {
    ...(NotifyUrl && { NotifyUrl }),
    ...(NotifyReqAuth && { NotifyReqAuth }),
    ...(NotifyAuthKey && { NotifyAuthKey }),
  }
}
