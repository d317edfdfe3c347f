// `demo`: the emulator and the service in one process, against each other, to see it work.
import { createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { createService } from '../../app/service.ts'
import { readConfig } from '../../config/config.ts'
import { toCloudEvent } from '../../core/events/snapshot-event.ts'
import { type Emulator, startEmulator } from '../../emulator/emulator.ts'
import type { Sink } from '../../ports/sink.ts'
import { command } from '../command.ts'
import { aborted, EXIT, refuseSettings, type Shell } from '../shell.ts'

const DOMAIN = 'play.example.com'
const STREAMS = 6
const INTERVAL_MS = 2_000
/** The stream that goes silent and comes back, so that one sees on the wall what that looks like. */
const TRUANT = { domain: DOMAIN, app: 'live', stream: `stream-${STREAMS}` }
const TRUANT_LIVE_MS = 30_000
/** A stream is silent after five minutes. */
const TRUANT_AWAY_MS = 345_000
/** So that the audit has something to find, and soon. */
const LOST_CALLBACKS = 0.05
const AUDIT = { marginMs: 10_000, firstAfterMs: 10_000 }
const AUDIT_INTERVAL = '10s'
const ACCESS_KEY = { accessKeyId: 'demo', accessKeySecret: 'demo-secret' }
/** Its own, so that it never meets the store of a real service. */
const DEMO_STORE = 'data/demo/snaphook.db'
/** Between two looks whether the streams are registered. */
const POLL_MS = 20
/** The ports of the settings' defaults; where they are taken, any free ones. */
const CALLBACK_PORT = 8080
const OPS_PORT = 9090

export const DEMO = command({
  name: 'demo',
  description: 'emulator and service in one: six streams, a snapshot every two seconds',
  define: (demo) => demo.option('--store <path>', 'where the demo keeps its store', DEMO_STORE),
  run: runDemo,
})

async function runDemo(shell: Shell, { store }: { store: string }): Promise<number> {
  const callbackPort = await freePort(CALLBACK_PORT)
  const opsPort = await freePort(OPS_PORT)
  const emulator = await startEmulator({
    ...ACCESS_KEY,
    host: '127.0.0.1',
    port: 0,
    domains: [DOMAIN],
    streams: STREAMS,
    intervalMs: INTERVAL_MS,
    switches: { lose_callbacks: LOST_CALLBACKS },
    openBucket: true,
  })
  const settings = {
    SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${callbackPort}`,
    SNAPHOOK_DOMAINS: DOMAIN,
    SNAPHOOK_LISTEN: `127.0.0.1:${callbackPort}`,
    SNAPHOOK_OPS_LISTEN: `127.0.0.1:${opsPort}`,
    SNAPHOOK_STORE: `sqlite:${store}`,
    SNAPHOOK_LIVE_ENDPOINT: emulator.url,
    SNAPHOOK_AUDIT_INTERVAL: AUDIT_INTERVAL,
    SNAPHOOK_IMAGES: `${emulator.url}/buckets/{bucket}/{object}`,
  }
  const config = readConfig(settings, shell.readFile)
  if (!config.ok) return refuseSettings(shell, config.problems)
  const service = createService(config.value, {
    log: shell.createLog('error'),
    stdout: shell.stdout,
    sinks: [printingSink(shell)],
    credentials: { getCredentials: async () => ACCESS_KEY },
    audit: AUDIT,
    ...shell.overrides,
  })
  try {
    await service.start(shell.signal)
    const { callbacks, ops } = service.urls()
    shell.print(
      [
        `wall           ${ops}/`,
        `callbacks      ${callbacks}/callbacks/${DOMAIN}`,
        `readiness      ${ops}/readyz`,
        `metrics        ${ops}/metrics`,
        `registrations  ${ops}/v1/registrations`,
        `emulator       ${emulator.url}/emulator/state`,
        `${STREAMS} streams, a snapshot each every ${INTERVAL_MS / 1000} s. ${TRUANT.stream} stops for some minutes`,
        `now and then, and comes back. One callback in ${1 / LOST_CALLBACKS} is lost on purpose: the audit finds it.`,
        'Ctrl-C ends it.',
        '',
      ].join('\n'),
    )
    void shootFirst(emulator, shell.signal)
    void playTruant(emulator, shell.signal)
    await aborted(shell.signal)
  } finally {
    await emulator.stop()
    await service.stop()
  }
  return EXIT.done
}

/** A first shot of each stream as soon as it is registered: somebody looks, and waits. */
async function shootFirst(emulator: Emulator, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && emulator.state().pushes.some(({ signed }) => !signed)) {
    await sleep(POLL_MS, undefined, { signal }).catch(() => {})
  }
  for (const push of emulator.state().pushes) emulator.shoot(push)
}

async function playTruant(emulator: Emulator, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await sleep(TRUANT_LIVE_MS, undefined, { signal }).catch(() => {})
    emulator.stopPush(TRUANT)
    await sleep(TRUANT_AWAY_MS, undefined, { signal }).catch(() => {})
    if (!signal.aborted) emulator.startPush(TRUANT)
  }
}

/** One short line per event: the stream, the object, and how old the shot is. */
function printingSink(shell: Shell): Sink {
  return {
    name: 'stdout',
    check: async () => ({ reachable: true, detail: 'prints' }),
    async deliver(events) {
      for (const event of events) {
        const { data, time } = toCloudEvent(event)
        const age = Math.max(0, Date.now() - Date.parse(time)) / 1000
        shell.print(`${data.stream ?? '(unknown)'}  ${data.object ?? '-'}  ${age.toFixed(1)} s old`)
      }
      const found = events.filter(({ origin }) => origin === 'audit').length
      if (found > 0) shell.print(`${found} of these came by no callback: the audit found them`)
      return { kind: 'delivered' }
    },
    async close() {},
  }
}

/** `wanted` if it is free on loopback, else any port that is. */
async function freePort(wanted: number): Promise<number> {
  const { promise, resolve } = Promise.withResolvers<number>()
  const probe = createServer()
  probe.once('error', () => resolve(wanted === 0 ? 0 : freePort(0)))
  probe.listen({ host: '127.0.0.1', port: wanted }, () => {
    const address = probe.address()
    const port = typeof address === 'object' && address !== null ? address.port : wanted
    probe.close(() => resolve(port))
  })
  return promise
}
