// Whatever becomes of its standard output and standard error, the service receives, answers and stops
// in time: a full device, a pipe that nobody reads, a terminal that is paused.
import { existsSync, readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { sendCallback, snapshotBody } from '../../support/service/signed-callback.ts'
import type { SnaphookProcess } from '../../support/service/snaphook-process.ts'
import { keyOf, type Stage, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const STOPS_WITHIN_MS = 5_000
/** More than a pipe and all buffers on its way take. */
const REFUSED = 1_500
/** More than a terminal takes that is paused. */
const STUCK_CALLBACKS = 20
const MAX_PADDING_BYTES = 60_000

/** A service whose log can't be read: where it listens is set beforehand. */
async function serveUnheard(stage: Stage, wrapper: readonly string[]) {
  const [callbacks, ops] = [await freePort(), await freePort()]
  const child = stage.run(
    ['serve'],
    { SNAPHOOK_LISTEN: `127.0.0.1:${callbacks}`, SNAPHOOK_OPS_LISTEN: `127.0.0.1:${ops}` },
    { wrapper },
  )
  const urls = { callbacks: `http://127.0.0.1:${callbacks}`, ops: `http://127.0.0.1:${ops}` }
  await until('it to answer', () => isAlive(urls.ops))
  stage.front.lead(urls.callbacks)
  const service = { ...urls, events: () => [], log: () => [] }
  await settled(service)
  return { child, ops: urls.ops }
}

test.concurrent('standard error on a full device: it serves, and stops in time', async () => {
  await using stage = await setStage()
  const { child } = await serveUnheard(stage, ['sh', '-c', 'exec "$0" "$@" 2>/dev/full'])
  await expectAccepted(stage)
  await expectStopped(child, () => child.kill('SIGTERM'))
})

test.concurrent('standard error is a pipe that nobody reads: it serves, and stops in time', async () => {
  await using stage = await setStage()
  const service = await stage.serve({ SNAPHOOK_LOG_LEVEL: 'debug' })
  await settled(service)
  service.stderr.stall()
  const wrong = { key: 'not the key that is in force, far from it' }
  for (let sent = 0; sent < REFUSED; sent += 50) {
    await Promise.all(
      Array.from({ length: 50 }, () => sendCallback(stage.callbackUrl(), { ...wrong })),
    )
  }
  await expectAccepted(stage)
  await expectStopped(service, () => service.kill('SIGTERM'))
})

test.concurrent('its terminal is paused: only the sink waits, and it stops in time', async () => {
  await using stage = await setStage()
  const pidFile = join(stage.folder, 'pid')
  // `script` gives it a terminal, and reads that no more once nobody reads what `script` prints.
  const command = `echo $$ >${pidFile}; exec "$NODE" "$MAIN" serve`
  const inner = [
    'sh',
    '-c',
    `NODE=$0 MAIN=$1; export NODE MAIN; exec script -qfc '${command}' /dev/null`,
  ]
  const { child, ops } = await serveUnheard(stage, inner)
  child.stdout.stall()
  const padding = 'x'.repeat(MAX_PADDING_BYTES)
  for (let sent = 0; sent < STUCK_CALLBACKS; sent += 1) {
    const body = snapshotBody({ padding })
    const answer = await sendCallback(stage.callbackUrl(), { key: keyOf(0), body })
    expect(answer.status).toBe(200)
  }
  expect(await isAlive(ops)).toBe(true)
  const pid = Number(readFileSync(pidFile, 'utf8'))
  const since = performance.now()
  process.kill(pid, 'SIGTERM')
  await until('its end', () => !existsSync(`/proc/${pid}/exe`))
  expect(performance.now() - since).toBeLessThan(STOPS_WITHIN_MS)
})

async function expectAccepted(stage: Stage): Promise<void> {
  const answer = await sendCallback(stage.callbackUrl(), { key: keyOf(0), body: snapshotBody() })
  expect(answer.status).toBe(200)
}

async function expectStopped(child: SnaphookProcess, signal: () => void): Promise<void> {
  const since = performance.now()
  signal()
  await until('its end', () => child.hasEnded())
  expect(performance.now() - since).toBeLessThan(STOPS_WITHIN_MS)
  expect(child.exitCode()).toBe(0)
}

function isAlive(ops: string): Promise<boolean> {
  return fetch(`${ops}/healthz`, { signal: AbortSignal.timeout(2_000) }).then(
    ({ ok }) => ok,
    () => false,
  )
}

async function freePort(): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const server = createServer().listen(0, '127.0.0.1', () => {
    const { port } = server.address() as { port: number }
    server.close(() => resolve(port))
  })
  return promise
}
