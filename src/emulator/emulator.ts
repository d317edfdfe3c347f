// A local ApsaraVideo Live: its API, streams that take snapshots, and signed callbacks. It stands
// for the other side and shares no code with the service. This file puts the parts together.
import { getRequestListener } from '@hono/node-server'
import { Hono } from 'hono'
import { createCallLog } from './api/call-log.ts'
import { createFaults, type Fault, readFaults } from './api/faults.ts'
import { createRpcApp } from './api/rpc-app.ts'
import { createGate } from './api/rpc-gate.ts'
import { createThrottle } from './api/throttle.ts'
import { createBucketApp } from './bucket/bucket-app.ts'
import { createCallbackLog } from './callbacks/callback-log.ts'
import {
  createCallbackSender,
  RETRY_INTERVAL_MS,
  SENDER_TIMEOUT_MS,
} from './callbacks/callback-sender.ts'
import { createConfigurations } from './configurations.ts'
import { createControlApp } from './control-app.ts'
import { parseDuration } from './duration.ts'
import { listen } from './http-server.ts'
import { createArchive, type StreamName } from './streams/archive.ts'
import { createAutomaticPushes } from './streams/automatic-pushes.ts'
import { createPushHistory } from './streams/push-history.ts'
import { createPushes } from './streams/pushes.ts'
import { drawSnapshot } from './streams/snapshot-picture.ts'
import { defaultSwitches, readSwitches, type Switches } from './switches.ts'

export { FAULT_KINDS, type Fault, type FaultKind } from './api/faults.ts'
export { signCallback } from './callbacks/callback-signature.ts'
export { SWITCH_VALUES, type Switches } from './switches.ts'

export type EmulatorOptions = {
  host: string
  port: number
  accessKeyId: string
  accessKeySecret: string
  /** The streaming domains; with none, every well-formed domain is taken. */
  domains: readonly string[]
  /** So many pushes start by themselves: app `live`, `stream-1` and so on. */
  streams: number
  intervalMs: number
  now?: () => number
  random?: () => number
  switches?: Partial<Switches>
  /** False: domains begin without a snapshot template, as new ones do. */
  templates?: boolean
  /** Its bucket hands out pictures to anybody, not to signed URLs alone. */
  openBucket?: boolean
  senderTimeoutMs?: number
  retryIntervalMs?: number
}

export type Emulator = Awaited<ReturnType<typeof startEmulator>>
export type EmulatorState = ReturnType<Emulator['state']>

const BUCKET = 'emulated-snapshots'
/** The shortest interval that an app's configuration can hold. */
const MIN_CONFIGURED_SECONDS = 5

/** Starts an emulator. `stop`, or the end of an `await using` block, leaves nothing behind. */
export async function startEmulator(options: EmulatorOptions) {
  const {
    domains,
    streams,
    intervalMs,
    now = Date.now,
    random = Math.random,
    templates = true,
  } = options
  let switches = defaultSwitches()
  setSwitches(options.switches ?? {})
  const stopping = new AbortController()
  const server = await listen(options.host, options.port)

  const configurations = createConfigurations({
    domains,
    storage: templates
      ? {
          endpoint: server.authority,
          bucket: BUCKET,
          intervalSeconds: Math.max(MIN_CONFIGURED_SECONDS, Math.round(intervalMs / 1000)),
        }
      : null,
    now,
    lagMs: () => parseDuration(switches.describe_lag) ?? 0,
    onWrite: (domain) => automatic.wake(domain),
  })
  const archive = createArchive(drawSnapshot)
  const history = createPushHistory(now)
  const callbacks = createCallbackLog()
  const sender = createCallbackSender({
    now,
    switches: () => switches,
    log: callbacks,
    timeoutMs: options.senderTimeoutMs ?? SENDER_TIMEOUT_MS,
    retryIntervalMs: options.retryIntervalMs ?? RETRY_INTERVAL_MS,
  })
  const pushes = createPushes({
    now,
    switches: () => switches,
    configurations,
    archive,
    history,
    random,
    send: sender.send,
  })
  const faults = createFaults()
  const calls = createCallLog(now)

  const automatic = createAutomaticPushes({ streams, intervalMs, pushes })
  automatic.begin(domains)

  const app = new Hono()
  app.route(
    '/',
    createRpcApp({
      provider: { configurations, archive, history, switches: () => switches, now },
      gate: createGate({ ...options, now }),
      throttle: createThrottle(now),
      faults,
      calls,
      stopping: stopping.signal,
    }),
  )
  const { openBucket: open = false } = options
  app.route('/', createBucketApp(archive, { ...options, open, now }))
  app.route(
    '/',
    createControlApp({
      state,
      configurations,
      pushes,
      defaultIntervalMs: intervalMs,
      switches: () => switches,
      setSwitches,
      faults,
    }),
  )
  server.serve(getRequestListener(app.fetch))

  function setSwitches(changes: Partial<Switches>): void {
    const checked = readSwitches(changes)
    if (!checked.ok) throw new TypeError(checked.problem)
    switches = { ...switches, ...checked.value }
  }

  function setFaults(list: readonly Fault[]): void {
    const checked = readFaults(list)
    if (!checked.ok) throw new TypeError(checked.problem)
    faults.replace(checked.value)
  }

  function state() {
    return {
      url: server.url,
      now: new Date(now()).toISOString(),
      domains: [...domains],
      configurations: configurations.snapshot(),
      pushes: pushes.list(),
      callbacks: { ...callbacks.snapshot(), inFlight: sender.inFlight() },
      api: calls.snapshot(),
      switches,
      faults: faults.list(),
    }
  }

  let stopped: Promise<void> | undefined
  async function stopAll(): Promise<void> {
    pushes.stop()
    stopping.abort()
    await Promise.all([sender.stop(), server.close()])
  }

  function stop(): Promise<void> {
    stopped ??= stopAll()
    return stopped
  }

  return {
    url: server.url,
    state,
    setSwitches,
    setFaults,
    startPush: (name: StreamName, pushIntervalMs = intervalMs) =>
      pushes.start(name, { intervalMs: pushIntervalMs }),
    stopPush: (name: StreamName): boolean => pushes.end(name),
    /** The shots of a stream that are remembered, one entry for each stored object. */
    shotsOf: archive.shotsOf,
    /** Callbacks under way. */
    inFlight: sender.inFlight,
    shoot: (name: StreamName) => pushes.shootNow(name),
    stop,
    [Symbol.asyncDispose]: stop,
  }
}
