import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Emulator } from '../../../../src/emulator/emulator.ts'
import {
  type Call,
  clientOf,
  configure,
  DOMAIN,
  emulate,
  KEY,
  OTHER_KEY,
  STREAM,
} from '../../support.ts'

const URL = 'https://hook.example.com/cb'
const ADD = 'AddLiveSnapshotNotifyConfig'
const UPDATE = 'UpdateLiveSnapshotNotifyConfig'
const DESCRIBE = 'DescribeLiveSnapshotNotifyConfig'
const DELETE = 'DeleteLiveSnapshotNotifyConfig'
const APP = {
  AppName: 'live',
  TimeInterval: 5,
  OssEndpoint: 'oss.example.com',
  OssBucket: 'bucket',
  SequenceOssObject: '{AppName}/{Sequence}.jpg',
}

let emulator: Emulator
let call: Call

beforeEach(async () => {
  emulator = await emulate()
  call = clientOf(emulator)
})
afterEach(() => emulator.stop())

describe('the snapshot callback', () => {
  test('is added, described, updated and deleted', async () => {
    const added = await configure(call, URL)
    expect(Object.keys(added)).toEqual(['RequestId'])
    expect(added.RequestId).toMatch(/^[0-9A-F]{8}(-[0-9A-F]{4}){3}-[0-9A-F]{12}$/)
    expect(await call(DESCRIBE)).toMatchObject({
      DomainName: DOMAIN,
      NotifyUrl: URL,
      NotifyReqAuth: 'yes',
      NotifyAuthKey: KEY,
    })
    await call(UPDATE, { NotifyUrl: `${URL}2`, NotifyReqAuth: 'yes', NotifyAuthKey: OTHER_KEY })
    expect(await call(DESCRIBE)).toMatchObject({ NotifyUrl: `${URL}2`, NotifyAuthKey: OTHER_KEY })
    await call(DELETE)
    await expect(call(DESCRIBE)).rejects.toMatchObject({ code: 'ConfigNotFound' })
  })

  test('is off without authentication by default', async () => {
    await call(ADD, { NotifyUrl: URL, RegionId: 'cn-shanghai' })
    expect(await call(DESCRIBE)).toMatchObject({ NotifyReqAuth: 'no', NotifyAuthKey: '' })
  })

  test.each([
    [ADD, { DomainName: '' }, 'MissingParam', 400],
    [ADD, {}, 'MissingParam', 400],
    [ADD, { NotifyUrl: URL, NotifyReqAuth: 'yes' }, 'MissingParam', 400],
    [ADD, { NotifyUrl: URL, NotifyReqAuth: 'maybe' }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: URL, NotifyAuthKey: 'short' }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: URL, NotifyAuthKey: 'a'.repeat(33) }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: URL, NotifyAuthKey: 'with-hyphen-with-hyphen' }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: 'not a url' }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: 'ftp://example.com/' }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: `https://example.com/${'x'.repeat(500)}` }, 'MalformedParam', 400],
    [ADD, { NotifyUrl: URL, DomainName: 'other.example.com' }, 'InvalidDomain.NotFound', 404],
    [UPDATE, { NotifyUrl: URL, NotifyReqAuth: 'yes' }, 'MissingParam', 400],
    [UPDATE, { NotifyUrl: URL }, 'ConfigNotFound', 400],
    [DELETE, {}, 'ConfigNotFound', 400],
    [DESCRIBE, { DomainName: 'other.example.com' }, 'InvalidDomain.NotFound', 404],
  ])('%s %j is refused with %s', async (operation, params, code, statusCode) => {
    await expect(call(operation, params)).rejects.toMatchObject({
      code,
      data: { HostId: 'live.aliyuncs.com', Code: code, Recommend: expect.stringContaining(code) },
      entry: { response: { statusCode, headers: { date: expect.stringMatching(/ GMT$/) } } },
    })
  })

  test('cannot be added twice', async () => {
    await configure(call, URL)
    await expect(configure(call, URL)).rejects.toMatchObject({
      code: 'ConfigAlreadyExists',
      message: expect.stringContaining('please check and try again later'),
      entry: { response: { statusCode: 409 } },
    })
  })

  test('of any well-formed domain is taken when no domains are given', async () => {
    await using open = await emulate({ domains: [] })
    const callOpen = clientOf(open)
    await callOpen(ADD, { DomainName: 'Any.example.org', NotifyUrl: URL })
    await expect(callOpen(DESCRIBE, { DomainName: 'any.example.org' })).resolves.toBeDefined()
    await expect(callOpen(DESCRIBE, { DomainName: 'nodot' })).rejects.toMatchObject({
      code: 'InvalidDomain.NotFound',
    })
    expect(Object.keys(open.state().configurations)).toEqual(['any.example.org'])
  })
})

describe('the authentication of the app-level callback', () => {
  test('is set, queried and deleted', async () => {
    await call('SetSnapshotCallbackAuth', { CallbackReqAuth: 'yes', CallbackAuthKey: KEY })
    expect(await call('QuerySnapshotCallbackAuth')).toMatchObject({
      DomainName: DOMAIN,
      CallbackReqAuth: 'yes',
      CallbackAuthKey: KEY,
    })
    await call('DeleteSnapshotCallbackAuth')
    expect(await call('QuerySnapshotCallbackAuth')).toMatchObject({
      CallbackReqAuth: 'no',
      CallbackAuthKey: '',
    })
  })

  test.each([
    [{ CallbackReqAuth: 'yes' }, 'MissingParam'],
    [{ CallbackReqAuth: 'on', CallbackAuthKey: KEY }, 'MalformedParam'],
    [{ CallbackReqAuth: 'yes', CallbackAuthKey: 'short' }, 'MalformedParam'],
  ])('%j is refused with %s', async (params, code) => {
    await expect(call('SetSnapshotCallbackAuth', params)).rejects.toMatchObject({ code })
  })
})

describe('the snapshot templates of apps', () => {
  test('exist for every app of a domain by default', async () => {
    expect(await call('DescribeLiveSnapshotConfig')).toMatchObject({
      TotalNum: 1,
      TotalPage: 1,
      PageNum: 1,
      LiveStreamSnapshotConfigList: {
        LiveStreamSnapshotConfig: [{ DomainName: DOMAIN, AppName: '*', TimeInterval: 3600 }],
      },
    })
  })

  test('are added and listed, by app, by page and in either order', async () => {
    await call('AddLiveAppSnapshotConfig', APP)
    const names = async (params: object) => {
      const answer = await call('DescribeLiveSnapshotConfig', params)
      const list = answer.LiveStreamSnapshotConfigList as {
        LiveStreamSnapshotConfig: { AppName: string }[]
      }
      return list.LiveStreamSnapshotConfig.map(({ AppName }) => AppName)
    }
    expect(await names({ AppName: 'live' })).toEqual(['live'])
    expect(await names({ PageSize: 5, PageNum: 2 })).toEqual([])
    const ascending = await names({ Order: 'asc' })
    expect(ascending).toHaveLength(2)
    expect(await names({ Order: 'desc' })).toEqual(ascending.reverse())
  })

  test.each([
    [{ TimeInterval: 4 }, 'MalformedParam'],
    [{ TimeInterval: 'often' }, 'MalformedParam'],
    [{ AppName: '' }, 'MissingParam'],
    [{ SequenceOssObject: '' }, 'MissingParam'],
    [{ SequenceOssObject: 'same.jpg' }, 'MalformedParam'],
    [{ Callback: 'nowhere' }, 'MalformedParam'],
    [{ AppName: '*' }, 'ConfigAlreadyExists'],
  ])('%j is refused with %s', async (params, code) => {
    const request = call('AddLiveAppSnapshotConfig', { ...APP, ...params })
    await expect(request).rejects.toMatchObject({ code })
  })
})

describe('the list of snapshots', () => {
  const INFO = 'DescribeLiveStreamSnapshotInfo'
  const DAY = {
    AppName: 'live',
    StreamName: 'door',
    StartTime: '2026-01-01T00:00:00Z',
    EndTime: '2026-01-02T00:00:00Z',
  }

  test('holds what was taken, within the range, by pages, in either order', async () => {
    // The API's own clock must agree with the client's, so the range is around now.
    const range = {
      ...DAY,
      StartTime: new Date(Date.now() - 60_000).toISOString().replace(/\.\d+/, ''),
      EndTime: new Date(Date.now() + 60_000).toISOString().replace(/\.\d+/, ''),
    }
    emulator.startPush(STREAM)
    emulator.shoot(STREAM)
    emulator.shoot(STREAM)
    type Item = { OssObject: string; IsOverlay: boolean; CreateTimestamp: number }
    const items = async (params: object) => {
      const answer = await call(INFO, { ...range, ...params })
      const list = answer.LiveStreamSnapshotInfoList as { LiveStreamSnapshotInfo: Item[] }
      return { items: list.LiveStreamSnapshotInfo, next: answer.NextStartTime }
    }
    const all = await items({})
    expect(all.items.map(({ IsOverlay }) => IsOverlay)).toEqual([false, true, false, true])
    expect(all.next).toBeUndefined()
    expect(all.items[0]?.CreateTimestamp).toBeGreaterThan(Date.now() - 60_000)
    expect((await items({ Order: 'desc' })).items).toEqual([...all.items].reverse())
    const page = await items({ Limit: 1 })
    expect(page.items).toEqual(all.items.slice(0, 1))
    expect(page.next).toMatch(/^\d{4}-.*Z$/)
    const yesterday = await items({ StartTime: DAY.StartTime, EndTime: DAY.EndTime })
    expect(yesterday.items).toEqual([])
  })

  test.each([
    [{ StartTime: 'x' }, 'InvalidStartTime.Malformed'],
    [{ EndTime: 'x' }, 'InvalidEndTime.Malformed'],
    [{ EndTime: '2025-12-31T00:00:00Z' }, 'InvalidEndTime.Mismatch'],
    [{ EndTime: '2026-01-02T00:00:01Z' }, 'InvalidEndTime.Mismatch'],
    [{ Limit: 101 }, 'MalformedParam'],
    [{ Order: 'random' }, 'MalformedParam'],
    [{}, 'InvalidStream.NotFound'],
  ])('%j is refused with %s', async (params, code) => {
    await expect(call(INFO, { ...DAY, ...params })).rejects.toMatchObject({ code })
  })
})
