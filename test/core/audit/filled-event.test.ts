import { expect, test } from 'vitest'
import { filledEvent } from '../../../src/core/audit/filled-event.ts'
import { groupShots, type ListedShot } from '../../../src/core/audit/shots.ts'
import { cannotCompare } from '../../../src/core/audit/state.ts'
import { toCloudEvent } from '../../../src/core/events/snapshot-event.ts'

const AT = Date.parse('2026-01-02T03:04:05.678Z')
const FOUND_AT = AT + 10 * 86_400_000
const NAME = { app: 'live', stream: 'door' }
const ENTRY: ListedShot = {
  at: AT,
  object: 'live/door/1.jpg',
  bucket: 'pictures',
  endpoint: 'oss-cn-shanghai.aliyuncs.com',
  isOverlay: false,
  createTime: '2026-01-02T03:04:05Z',
  createTimestamp: AT,
}

function made(entries: readonly ListedShot[], receivedAt = FOUND_AT) {
  const [shot] = groupShots(entries)
  if (shot === undefined) throw new TypeError('no shot')
  return filledEvent('play.example.com', NAME, shot, receivedAt)
}

test('the body is the listed item with the names, in a fixed order', () => {
  expect(Buffer.from(made([ENTRY]).body).toString()).toBe(
    '{"DomainName":"play.example.com","AppName":"live","StreamName":"door",' +
      '"OssEndpoint":"oss-cn-shanghai.aliyuncs.com","OssBucket":"pictures",' +
      `"OssObject":"live/door/1.jpg","CreateTime":"2026-01-02T03:04:05Z","CreateTimestamp":${AT},` +
      '"IsOverlay":false}',
  )
})

test('its time is the capture time, however long ago, and it says how it came', () => {
  const event = toCloudEvent({ ...made([ENTRY]), seq: 7 })
  expect(event).toMatchObject({
    time: '2026-01-02T03:04:05.678Z',
    subject: 'live/door',
    data: { origin: 'audit', object: 'live/door/1.jpg', flags: [] },
  })
  expect(event.data.capturedAt).toBe(event.time)
})

test('every replica, and every try, makes the same event: in sequence mode where there are both', () => {
  const overlay = { ...ENTRY, object: 'live/door.jpg', isOverlay: true }
  const { id, occurredAt } = made([ENTRY])
  expect(made([overlay, ENTRY], FOUND_AT + 99)).toMatchObject({ id, occurredAt })
  expect(made([overlay]).id).not.toBe(id)
})

test('what is not listed is left out', () => {
  const bare = { ...ENTRY, bucket: null, endpoint: null, object: null, createTimestamp: null }
  expect(JSON.parse(Buffer.from(made([bare]).body).toString())).toEqual({
    DomainName: 'play.example.com',
    AppName: 'live',
    StreamName: 'door',
    CreateTime: '2026-01-02T03:04:05Z',
    IsOverlay: false,
  })
})

test('half of the bodies without object or stream are too many, none are not', () => {
  expect(cannotCompare({ callbacks: 0, unclear: 0 })).toBe(false)
  expect(cannotCompare({ callbacks: 10, unclear: 4 })).toBe(false)
  expect(cannotCompare({ callbacks: 10, unclear: 5 })).toBe(true)
})

test('what the list does not say is not in the body', () => {
  const bare = { at: AT, object: null, bucket: null, endpoint: null, isOverlay: false }
  const { body } = made([{ ...bare, createTime: null, createTimestamp: null }])
  expect(JSON.parse(Buffer.from(body).toString())).toEqual({
    DomainName: 'play.example.com',
    AppName: 'live',
    StreamName: 'door',
    IsOverlay: false,
  })
})
