// Stopping: exit 0 within 5 s whatever the provider does, what is in flight is answered, and the
// registration stays. One store has one `serve`.
import { once } from 'node:events'
import { type ClientRequest, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { signCallback } from '../../../src/emulator/emulator.ts'
import type { Clock } from '../../../src/ports/clock.ts'
import { serveHere } from '../../support/service/service-here.ts'
import {
  nowSeconds,
  SUCCESS,
  sendCallback,
  snapshotBody,
} from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  listening,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const STOPS_WITHIN_MS = 5_000
/** Together more than a pipe and all buffers on its way take. */
const STUCK_CALLBACKS = 20
const MAX_PADDING_BYTES = 60_000

test.concurrent.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
  '%s: exit 0, and the registration stays',
  async (signal) => {
    await using stage = await setStage()
    const service = await stage.serve()
    await settled(service)
    const before = stage.configured()
    expect(await stopped(service, signal)).toBe(0)
    expect(stage.configured()).toEqual(before)
    expect(stage.emulator.state().api.byOperation).toEqual({
      DescribeLiveSnapshotNotifyConfig: 2,
      AddLiveSnapshotNotifyConfig: 1,
    })
    expect(service.log().at(-1)).toMatchObject({ msg: 'stopped' })
  },
)

test.concurrent('while the provider hangs: it listens at once, and stops in time', async () => {
  await using stage = await setStage()
  stage.emulator.setFaults([{ operation: '*', fault: 'timeout' }])
  const service = await stage.serve()
  await until('a call that hangs', () => stage.calls('Describe') > 0)
  expect(await stopped(service, 'SIGTERM')).toBe(0)
})

onEachStore((own) => {
  test('a request in flight is answered, and its event handed on', async () => {
    await using stage = await setStage({}, own())
    const service = await stage.serve()
    await settled(service)
    const body = snapshotBody()
    const inFlight = await beginCallback(service, body.length)
    const ending = stopped(service, 'SIGTERM')
    await until('the public listener to be closed', () => isClosed(service))
    inFlight.end(body)
    const [response] = await once(inFlight, 'response')
    expect([response.statusCode, await text(response)]).toEqual([200, SUCCESS])
    expect(await ending).toBe(0)
    expect(service.events().map(({ data }) => data.raw)).toEqual([body])
  })
})

test.concurrent('while nobody reads its standard output: it stops in time', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  service.stdout.stall()
  const padding = 'x'.repeat(MAX_PADDING_BYTES)
  for (let sent = 0; sent < STUCK_CALLBACKS; sent += 1) {
    await sendCallback(stage.callbackUrl(), { key: keyOf(0), body: snapshotBody({ padding }) })
  }
  service.kill('SIGTERM')
  const since = performance.now()
  await until('its end', () => service.hasEnded())
  expect(performance.now() - since).toBeLessThan(STOPS_WITHIN_MS)
  expect(service.exitCode()).toBe(0)
})

test.concurrent('two signals of one moment, as under npm start, are one', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  const body = snapshotBody()
  const inFlight = await beginCallback(service, body.length)
  service.kill('SIGTERM')
  const ending = stopped(service, 'SIGTERM')
  await until('the public listener to be closed', () => isClosed(service))
  inFlight.end(body)
  const [response] = await once(inFlight, 'response')
  expect(response.statusCode).toBe(200)
  expect(await ending).toBe(0)
  expect(service.log().at(-1)).toMatchObject({ msg: 'stopped' })
})

test.concurrent('a second signal ends it at once', async () => {
  await using stage = await setStage()
  const service = await stage.serve()
  await settled(service)
  // A request that never ends holds the first stop up.
  await beginCallback(service, 10)
  service.kill('SIGTERM')
  await until('the public listener to be closed', () => isClosed(service))
  // Later than what counts as one moment.
  await sleep(600)
  expect(service.hasEnded()).toBe(false)
  const since = performance.now()
  service.kill('SIGTERM')
  expect(await service.ended).toBe(1)
  expect(performance.now() - since).toBeLessThan(1_000)
})

test.concurrent('a second serve waits for the store, and takes over when the first one stops', async () => {
  await using stage = await setStage()
  const first = await stage.serve()
  await settled(first)
  const second = stage.run(['serve'])
  await until('the second one to wait', () =>
    second.stderr.text().includes('waiting for the store'),
  )
  expect(second.stderr.text()).not.toContain('listening')
  expect(await stopped(first, 'SIGTERM')).toBe(0)
  const successor = await listening(second)
  const { registrations } = await settled(successor)
  expect(registrations[0]).toMatchObject({ generation: 0 })
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
})

test.concurrent('a second serve gives up after 15 s, and names the holder', async () => {
  await using stage = await setStage()
  const first = await stage.serve()
  let now = Date.now()
  const rushing: Clock = {
    now: () => now,
    elapsed: () => now,
    async sleep(ms) {
      now += ms
    },
  }
  const since = now
  await expect(serveHere(stage, {}, { clock: rushing })).rejects.toMatchObject({
    code: 'store_locked',
    message: expect.stringMatching(
      `^The store .* is in use by process ${first.pid} on .*: stop it`,
    ),
  })
  expect(now - since).toBeGreaterThanOrEqual(15_000)
  expect(first.hasEnded()).toBe(false)
})

/** Sends the headers of a good callback, and waits for the word that they have arrived. */
async function beginCallback({ callbacks }: Serving, length: number): Promise<ClientRequest> {
  const timestamp = nowSeconds()
  const begun = request(`${callbacks}/callbacks/${DOMAIN}`, {
    method: 'POST',
    headers: {
      'ALI-LIVE-TIMESTAMP': timestamp,
      'ALI-LIVE-SIGNATURE': signCallback('127.0.0.1', timestamp, keyOf(0)),
      'Content-Length': length,
      Expect: '100-continue',
    },
  })
  begun.on('error', () => {})
  begun.flushHeaders()
  await once(begun, 'continue')
  return begun
}

/** Sends the signal and waits for the end, which has to come in time. Returns the exit code. */
async function stopped(service: Serving, signal: NodeJS.Signals): Promise<number | string> {
  const since = performance.now()
  service.kill(signal)
  const code = await service.ended
  expect(performance.now() - since).toBeLessThan(STOPS_WITHIN_MS)
  return code
}

async function isClosed({ callbacks }: Serving): Promise<boolean> {
  return fetch(callbacks).then(
    () => false,
    () => true,
  )
}
