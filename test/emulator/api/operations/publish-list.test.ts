// The list of streams that were pushed: what it may be asked for, and how it pages.
import { expect, test } from 'vitest'
import { clientOf, DOMAIN, emulate } from '../../support.ts'

const OPERATION = 'DescribeLiveStreamsPublishList'
const DAY_MS = 24 * 3_600_000
const iso = (time: number) => `${new Date(time).toISOString().slice(0, 19)}Z`
const range = (fromMs = -3_600_000, untilMs = 3_600_000) => ({
  DomainName: DOMAIN,
  StartTime: iso(Date.now() + fromMs),
  EndTime: iso(Date.now() + untilMs),
})

async function withPushes(...streams: string[]) {
  const emulator = await emulate()
  for (const stream of streams) emulator.startPush({ domain: DOMAIN, app: 'live', stream })
  const list = async (params: object) => {
    const { PublishInfo, ...counts } = await clientOf(emulator)(OPERATION, params)
    const rows = (PublishInfo as { LiveStreamPublishInfo: { StreamName: string }[] })
      .LiveStreamPublishInfo
    return { ...counts, names: rows.map(({ StreamName }) => StreamName) }
  }
  return { list, [Symbol.asyncDispose]: () => emulator[Symbol.asyncDispose]() }
}

test.each([
  ['no start', { ...range(), StartTime: 'yesterday' }, 'InvalidStartTime.Malformed'],
  ['no end', { ...range(), EndTime: '2026-01-01' }, 'InvalidEndTime.Malformed'],
  ['an end before the start', range(0, -3_600_000), 'InvalidEndTime.Mismatch'],
  ['more than 30 days ago', range(-31 * DAY_MS, -30 * DAY_MS), 'InvalidEndTime.Mismatch'],
])('%s is refused', async (_, params, code) => {
  await using it = await withPushes('door')
  await expect(it.list(params)).rejects.toMatchObject({ code })
})

test('pages are of the size that is asked for, in the order that is asked for', async () => {
  await using it = await withPushes('b', 'c', 'a')
  const asked = { ...range(), OrderBy: 'stream_name_desc', PageSize: 2 }
  expect(await it.list(asked)).toMatchObject({ names: ['c', 'b'], TotalNum: 3, TotalPage: 2 })
  expect(await it.list({ ...asked, PageNumber: 2 })).toMatchObject({ names: ['a'], PageNum: 2 })
})

test('a part of a name is enough, unless it is asked for strictly', async () => {
  await using it = await withPushes('door', 'door-2')
  const asked = { ...range(), OrderBy: 'stream_name_asc', StreamName: 'door' }
  expect((await it.list(asked)).names).toEqual(['door', 'door-2'])
  expect((await it.list({ ...asked, QueryType: 'strict' })).names).toEqual(['door'])
})
