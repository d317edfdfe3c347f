import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { Emulator } from '../../src/emulator/emulator.ts'
import {
  clientOf,
  configure,
  control,
  DOMAIN,
  emulate,
  KEY,
  receive,
  STREAM,
  until,
} from './support.ts'

const PUSH = `/pushes/${DOMAIN}/live/door`

let emulator: Emulator

beforeEach(async () => {
  emulator = await emulate()
})
afterEach(() => emulator.stop())

describe('GET /emulator/state', () => {
  test('shows everything as JSON', async () => {
    await configure(clientOf(emulator), 'https://hook.example.com/cb')
    emulator.startPush(STREAM)
    const state = await (await control(emulator, 'GET', '/state')).json()
    expect(state).toMatchObject({
      url: emulator.url,
      domains: [DOMAIN],
      configurations: {
        [DOMAIN]: {
          notify: { NotifyUrl: 'https://hook.example.com/cb', NotifyAuthKey: KEY },
          callbackAuth: null,
          apps: [{ AppName: '*' }],
        },
      },
      pushes: [{ ...STREAM, key: KEY, isAutomatic: false, skipped: 0 }],
      callbacks: { attempts: 0, byAnswer: {}, recent: [] },
      api: { byOperation: { AddLiveSnapshotNotifyConfig: 1 }, getRequests: 0, secretsInUrl: 0 },
      switches: { hex: 'lower' },
      faults: [],
    })
  })
})

describe('pushes', () => {
  test('are started, listed, photographed and ended', async () => {
    await using receiver = await receive()
    await configure(clientOf(emulator), receiver.url)
    const started = await control(emulator, 'POST', '/pushes', { ...STREAM, interval: '1h' })
    expect(started.status).toBe(201)
    expect(await started.json()).toMatchObject({ ...STREAM, intervalMs: 3_600_000, key: KEY })
    const listed = await (await control(emulator, 'GET', '/pushes')).json()
    expect(listed).toMatchObject([STREAM])
    const shot = await control(emulator, 'POST', `${PUSH}/snapshot`)
    expect(shot.status).toBe(201)
    expect(await shot.json()).toMatchObject([{ isOverlay: false }, { isOverlay: true }])
    await until('the callback', () => receiver.received.length === 1)
    expect((await control(emulator, 'DELETE', PUSH)).status).toBe(204)
    expect((await control(emulator, 'DELETE', PUSH)).status).toBe(404)
    expect((await control(emulator, 'POST', `${PUSH}/snapshot`)).status).toBe(404)
    expect(emulator.stopPush(STREAM)).toBe(false)
  })

  test.each([
    [2, 2000],
    [0.5, 500],
    ['500ms', 500],
    ['1.5s', 1500],
    ['2m', 120_000],
    [undefined, 3_600_000],
  ])('take the interval %j', async (interval, intervalMs) => {
    const response = await control(emulator, 'POST', '/pushes', { ...STREAM, interval })
    expect(await response.json()).toMatchObject({ intervalMs })
  })

  test.each([
    [[]],
    [{ ...STREAM, app: '' }],
    [{ ...STREAM, stream: 'a/b' }],
    [{ ...STREAM, stream: 7 }],
    [{ ...STREAM, interval: 'often' }],
    [{ ...STREAM, interval: -1 }],
    [{ ...STREAM, interval: 0 }],
    [{ ...STREAM, interval: '2h' }],
    ['{'],
  ])('refuse %j', async (body) => {
    const response = await control(emulator, 'POST', '/pushes', body)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringMatching(/.{10,}/) })
  })

  test('of a domain that is not one of ours are not found', async () => {
    const body = { ...STREAM, domain: 'other.example.com' }
    expect((await control(emulator, 'POST', '/pushes', body)).status).toBe(404)
  })
})

describe('PUT /emulator/faults', () => {
  test('replaces the list', async () => {
    const faults = [{ operation: '*', fault: 'drop', times: 2 }]
    expect((await control(emulator, 'PUT', '/faults', faults)).status).toBe(200)
    expect(await (await control(emulator, 'GET', '/faults')).json()).toEqual(faults)
    await control(emulator, 'PUT', '/faults', [])
    expect(emulator.state().faults).toEqual([])
  })

  test.each([
    [{}, 'array'],
    [[7], 'object'],
    [[{ operation: 'Nope', fault: 'drop' }], 'AddLiveSnapshotNotifyConfig'],
    [[{ operation: '*', fault: 'explode' }], 'applied_then_drop'],
    [[{ operation: '*', fault: 7 }], 'applied_then_drop'],
    [[{ operation: '*', fault: 'drop', times: 0 }], 'times'],
    [[{ operation: '*', fault: 'drop', times: 1.5 }], 'times'],
    [[{ operation: '*', fault: 'latency', ms: -1 }], 'ms'],
    [[{ operation: '*', fault: 'drop', forever: true }], 'forever'],
  ])('refuses %j and says what is allowed', async (faults, hint) => {
    const response = await control(emulator, 'PUT', '/faults', faults)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringContaining(hint) })
    expect(() => emulator.setFaults(faults as never)).toThrow(TypeError)
  })
})

describe('PUT /emulator/switches', () => {
  test('merges', async () => {
    await control(emulator, 'PUT', '/switches', { hex: 'upper' })
    await control(emulator, 'PUT', '/switches', { describe_lag: '2s' })
    const switches = await (await control(emulator, 'GET', '/switches')).json()
    expect(switches).toMatchObject({ hex: 'upper', describe_lag: '2s', body: 'pascal' })
  })

  test.each([
    [null, 'object'],
    [{ nope: 'x' }, 'describe_when_unset'],
    [{ hex: 'mixed' }, 'lower, upper'],
    [{ hex: true }, 'lower, upper'],
    [{ describe_lag: 'soon' }, '500ms'],
  ])('refuses %j and says what is allowed', async (switches, hint) => {
    const response = await control(emulator, 'PUT', '/switches', switches)
    expect(response.status).toBe(400)
    expect(await response.json()).toEqual({ error: expect.stringContaining(hint) })
    expect(() => emulator.setSwitches(switches as never)).toThrow(TypeError)
  })
})

test('a body that is too large is refused, whether or not it says its length', async () => {
  const text = `[${' '.repeat(70_000)}]`
  const whole = await control(emulator, 'PUT', '/faults', text)
  expect(whole.status).toBe(413)
  expect(await whole.json()).toEqual({ error: expect.stringContaining('large') })
  const chunked = { method: 'PUT', body: new Blob([text]).stream(), duplex: 'half' } as const
  expect((await fetch(`${emulator.url}/emulator/faults`, chunked)).status).toBe(413)
})

test('a wrong switch stops the start', async () => {
  await expect(emulate({ switches: { hex: 'mixed' as never } })).rejects.toThrow('lower, upper')
})

test('an address in use stops the start', async () => {
  const port = Number(new URL(emulator.url).port)
  await expect(emulate({ port })).rejects.toMatchObject({ code: 'EADDRINUSE' })
})

test('every address is called by the loopback one', async () => {
  await using open = await emulate({ host: '0.0.0.0' })
  expect(open.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+$/)
  expect((await fetch(`${open.url}/emulator/state`)).status).toBe(200)
})
