import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { type Emulator, signCallback } from '../../src/emulator/emulator.ts'
import { defaultSwitches } from '../../src/emulator/switches.ts'
import {
  type Call,
  clientOf,
  configure,
  emulate,
  KEY,
  OTHER_KEY,
  receive,
  STREAM,
  until,
} from './support.ts'

const UPDATE = 'UpdateLiveSnapshotNotifyConfig'
const DESCRIBE = 'DescribeLiveSnapshotNotifyConfig'
const URL = 'https://hook.example.com/cb'

let emulator: Emulator
let receiver: Awaited<ReturnType<typeof receive>>
let call: Call

beforeEach(async () => {
  receiver = await receive()
  emulator = await emulate()
  call = clientOf(emulator)
})
afterEach(async () => {
  await emulator.stop()
  await receiver[Symbol.asyncDispose]()
})

/** Takes one snapshot of the stream and waits for so many callbacks in all. */
async function shoot(total = receiver.received.length + 1) {
  emulator.shoot(STREAM)
  await until(`${total} callbacks`, () => receiver.received.length >= total)
  return receiver.received.at(-1)
}

/** The key among the two that a callback was signed with. */
function signerOf(headers: Record<string, unknown> | undefined, host = '127.0.0.1') {
  const timestamp = String(headers?.['ali-live-timestamp'])
  const signature = String(headers?.['ali-live-signature'])
  return [KEY, OTHER_KEY].find((key) => signCallback(host, timestamp, key) === signature)
}

test('every switch has its documented or likely default', () => {
  expect(emulator.state().switches).toEqual(defaultSwitches())
  expect(defaultSwitches()).toEqual({
    describe_when_unset: 'config_not_found',
    describe_lag: '0s',
    key_shown: 'plain',
    partial_update: 'keeps',
    signed_host: 'without_port',
    hex: 'lower',
    retry_on_non_200: 'yes',
    retry_signature: 'same',
    url_change: 'at_once',
    auth_on: 'next_push',
    body: 'pascal',
    callbacks_per_shot: 'one',
    next_start_time: 'first_left_out',
    list_ends: 'with',
    stop_time: 'absent',
    list_numbers: 'number',
    list_lag: '0s',
    lose_callbacks: 0,
  })
})

describe('describe_when_unset', () => {
  test('config_not_found', async () => {
    await expect(call(DESCRIBE)).rejects.toMatchObject({ code: 'ConfigNotFound' })
  })

  test('fields_absent', async () => {
    emulator.setSwitches({ describe_when_unset: 'fields_absent' })
    expect(Object.keys(await call(DESCRIBE))).toEqual(['RequestId', 'DomainName'])
  })

  test('fields_empty', async () => {
    emulator.setSwitches({ describe_when_unset: 'fields_empty' })
    expect(await call(DESCRIBE)).toMatchObject({
      NotifyUrl: '',
      NotifyReqAuth: '',
      NotifyAuthKey: '',
    })
  })
})

test('describe_lag shows a write only after that long', async () => {
  let passedMs = 0
  const start = Date.now()
  await using slow = await emulate({
    now: () => start + passedMs,
    switches: { describe_lag: '2s' },
  })
  const callSlow = clientOf(slow)
  await configure(callSlow, URL)
  passedMs += 1999
  await expect(callSlow(DESCRIBE)).rejects.toMatchObject({ code: 'ConfigNotFound' })
  passedMs += 1
  expect(await callSlow(DESCRIBE)).toMatchObject({ NotifyUrl: URL })
})

describe('key_shown', () => {
  test('masked', async () => {
    await configure(call, URL)
    emulator.setSwitches({ key_shown: 'masked' })
    expect((await call(DESCRIBE)).NotifyAuthKey).toBe('****ey12')
  })

  test('absent', async () => {
    await configure(call, URL)
    emulator.setSwitches({ key_shown: 'absent' })
    expect(Object.keys(await call(DESCRIBE))).not.toContain('NotifyAuthKey')
  })

  test('number: an all-digit key is a bare number without exponent', async () => {
    const digits = '12345678901234567890123456789012'
    await configure(call, URL, digits)
    emulator.setSwitches({ key_shown: 'number' })
    const { NotifyAuthKey } = await call(DESCRIBE)
    expect(NotifyAuthKey).not.toBeTypeOf('string')
    expect((NotifyAuthKey as { toFixed(): string }).toFixed()).toBe(digits)
  })

  test('number: any other key is plain', async () => {
    await configure(call, URL)
    emulator.setSwitches({ key_shown: 'number' })
    expect((await call(DESCRIBE)).NotifyAuthKey).toBe(KEY)
  })
})

describe('partial_update', () => {
  test('keeps what is left out', async () => {
    await configure(call, URL)
    await call(UPDATE, { NotifyUrl: `${URL}2` })
    expect(await call(DESCRIBE)).toMatchObject({ NotifyReqAuth: 'yes', NotifyAuthKey: KEY })
  })

  test('clears what is left out', async () => {
    emulator.setSwitches({ partial_update: 'clears' })
    await configure(call, URL)
    await call(UPDATE, { NotifyUrl: `${URL}2` })
    expect(await call(DESCRIBE)).toMatchObject({ NotifyReqAuth: 'no', NotifyAuthKey: '' })
  })
})

describe('the signature', () => {
  beforeEach(async () => {
    await configure(call, receiver.url)
    emulator.startPush(STREAM)
  })

  test('signed_host without_port, hex lower', async () => {
    const callback = await shoot()
    expect(signerOf(callback?.headers)).toBe(KEY)
  })

  test('signed_host with_port', async () => {
    emulator.setSwitches({ signed_host: 'with_port' })
    const callback = await shoot()
    expect(signerOf(callback?.headers, receiver.authority)).toBe(KEY)
  })

  test('hex upper', async () => {
    emulator.setSwitches({ hex: 'upper' })
    const callback = await shoot()
    expect(callback?.headers['ali-live-signature']).toMatch(/^[0-9A-F]{32}$/)
  })
})

describe('url_change', () => {
  beforeEach(async () => {
    await configure(call, receiver.url)
    emulator.startPush(STREAM)
  })

  test('at_once: a running push calls the new URL', async () => {
    await call(UPDATE, { NotifyUrl: `${receiver.url}/new` })
    expect((await shoot())?.path).toBe('/callbacks/new')
  })

  test('next_push: it calls the old one until it is pushed again', async () => {
    emulator.setSwitches({ url_change: 'next_push' })
    await call(UPDATE, { NotifyUrl: `${receiver.url}/new` })
    expect((await shoot())?.path).toBe('/callbacks')
    emulator.startPush(STREAM)
    expect((await shoot())?.path).toBe('/callbacks/new')
  })
})

describe('auth_on', () => {
  const AUTH = { NotifyReqAuth: 'yes', NotifyAuthKey: KEY }

  beforeEach(async () => {
    await configure(call, receiver.url, '')
    emulator.startPush(STREAM)
  })

  test('next_push: a push that began unsigned stays so', async () => {
    await call(UPDATE, AUTH)
    expect((await shoot())?.headers).not.toHaveProperty('ali-live-signature')
    emulator.startPush(STREAM)
    expect(signerOf((await shoot())?.headers)).toBe(KEY)
  })

  test('at_once: it starts to sign, and then keeps that key', async () => {
    emulator.setSwitches({ auth_on: 'at_once' })
    expect((await shoot())?.headers).not.toHaveProperty('ali-live-signature')
    await call(UPDATE, AUTH)
    expect(signerOf((await shoot())?.headers)).toBe(KEY)
    await call(UPDATE, { ...AUTH, NotifyAuthKey: OTHER_KEY })
    expect(signerOf((await shoot())?.headers)).toBe(KEY)
  })
})

describe('body', () => {
  beforeEach(async () => {
    await configure(call, receiver.url)
    emulator.startPush(STREAM)
  })

  test.each([
    ['pascal', ['DomainName', 'OssObject', 'CreateTime', 'CreateTimestamp', 'IsOverlay']],
    ['camel', ['domainName', 'ossObject', 'createTime', 'createTimestamp', 'isOverlay']],
    ['snake', ['domain_name', 'oss_object', 'create_time', 'create_timestamp', 'is_overlay']],
    ['without_time', ['DomainName', 'OssObject', 'IsOverlay']],
    ['unknown', ['what', 'ref']],
  ] as const)('%s', async (body, fields) => {
    emulator.setSwitches({ body })
    const parsed = JSON.parse((await shoot())?.body ?? '')
    expect(Object.keys(parsed)).toEqual(expect.arrayContaining([...fields]))
    expect(Object.keys(parsed).some((name) => /time/i.test(name))).toBe(
      !['without_time', 'unknown'].includes(body),
    )
  })

  test('callbacks_per_shot two: one for each stored object', async () => {
    emulator.setSwitches({ callbacks_per_shot: 'two' })
    await shoot(2)
    const bodies = receiver.received.map(({ body }) => JSON.parse(body))
    expect(bodies.map(({ IsOverlay }) => IsOverlay).sort()).toEqual([false, true])
    expect(new Set(bodies.map(({ OssObject }) => OssObject)).size).toBe(2)
  })
})
