// The composition root: puts the flows, the listeners and the store together, starts them in order
// and stops them in reverse. Every part of the world can be replaced by an override.
import type { Config } from '../config/config.ts'
import type { CallbackOutcome } from '../core/events/callback.ts'
import { describeBug } from '../errors.ts'
import { createAuditor } from '../flows/audit/auditor.ts'
import { createDispatcher } from '../flows/deliver/dispatcher.ts'
import { probeAfterStart } from '../flows/reachability.ts'
import { createReadiness } from '../flows/readiness.ts'
import { createReceiver } from '../flows/receive/receiver.ts'
import { fillStreams } from '../flows/retain/fill-streams.ts'
import { createJanitor } from '../flows/retain/janitor.ts'
import { whileOwner } from '../flows/tenure.ts'
import { type Listener, listen } from '../http/listen.ts'
import { createCallbackApp } from '../http/public/callback-app.ts'
import type { Log } from '../ports/log.ts'
import { isPlainAndRemote, readableOnTheWay } from '../sinks/create-sinks.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { createOps } from './ops.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import {
  failoverNews,
  leaseNews,
  type Parts,
  replicaName,
  sharedAudits,
  sharedRegistrar,
  viewOf,
} from './replicas.ts'
import { loadSecrets } from './secrets.ts'
import { bytesOf, lockStore, openForService } from './stores.ts'
import { VERSION } from './version.ts'
import { createRegistration, openApi, openSinks, probePublicUrl } from './wiring.ts'

/** Callbacks in flight are answered within this: the store's time-out, and a little. */
const DRAIN_CALLBACKS_MS = 3_200
/** Then the sinks may have what is in the log; what is left they get after the next start. */
const DRAIN_SINKS_MS = 1_000
/** Callbacks that were turned away, and not through a fault of their own. */
const NOT_TAKEN: ReadonlySet<CallbackOutcome> = new Set<CallbackOutcome>([
  'no_key',
  'overloaded',
  'store_failed',
])
/** Probes and scrapes are short. */
const DRAIN_OPS_MS = 200
/** All of it: an orchestrator that allows five seconds sees an orderly end. */
const STOP_MS = 4_500

export type Service = {
  /** Resolves when the service listens; registration goes on behind. Rejects with a fault. */
  start(signal: AbortSignal): Promise<void>
  /** Answers what is in flight, hands on what it can, closes; the registration stays. */
  stop(): Promise<void>
  /** Where it listens; only after `start`. */
  urls(): { callbacks: string; ops: string }
}

/** A service that does nothing before `start`. */
export function createService(config: Config, overrides: Overrides): Service {
  const { log, clock, random } = withDefaults(overrides)
  const stops: (() => Promise<unknown> | unknown)[] = []
  let listening: { callbacks: Listener; ops: Listener } | undefined
  let stopping: Promise<void> | undefined
  const stopped = new AbortController()

  async function start(signal: AbortSignal): Promise<void> {
    try {
      await compose(signal)
    } catch (error) {
      await stop()
      throw error
    }
  }

  async function compose(signal: AbortSignal): Promise<void> {
    const { domains } = config
    /** Once they are there. */
    let parts: Parts | undefined
    const lock = await lockStore(config, overrides, signal)
    stops.push(() => lock?.release())

    const secrets = loadSecrets(config)
    const metrics = createMetrics({
      domains,
      sinks: config.sinks.map(({ name }) => name),
      version: VERSION,
      now: clock.now,
      sample: () => readiness.sample(),
    })
    const { store, leases, shared } = await openForService(config, secrets, overrides, {
      // Of commits, not of answers: an event may be kept after its append has timed out.
      onCommit(commit) {
        metrics.commit(commit)
        if (commit.waitSeconds !== undefined) metrics.waited(commit.waitSeconds)
        parts?.notify()
      },
      onConnection: metrics.connected,
      onFailover: failoverNews(log, metrics),
      replica: {
        name: replicaName(),
        version: VERSION,
        view: () => viewOf(config, parts),
        onGrowth: () => parts?.notify(),
        news: leaseNews(log, metrics, (domain) => parts?.registrar.look(domain)),
      },
    })
    stops.push(() => store.close())

    const connection = openApi(config, overrides, metrics.apiCall)
    stops.push(() => connection.close())
    const { keyMaxAgeMs } = config
    const { rings, registrar } = createRegistration(
      config,
      {
        ...{ domains, keyMaxAgeMs, secrets, store, api: connection.api, metrics },
        countsTime: () => leases.isOwner('registrar'),
      },
      overrides,
    )
    await rings.load()
    const dispatcher = createDispatcher({
      sinks: openSinks(config, overrides),
      events: store,
      cursors: store,
      deadLetters: store,
      replays: store,
      leases,
      clock,
      random,
      metrics,
      log,
    })
    const sharing = sharedRegistrar({ registrar, leases, rings, askLook: shared?.askLook, clock })
    const janitor = createJanitor({
      store,
      leases,
      sinks: config.sinks.map(({ name }) => name),
      retentionMs: config.retentionMs,
      retentionMaxMs: config.retentionMaxMs,
      maxBytes: bytesOf(config),
      onExpired: dispatcher.expired,
      clock,
      metrics,
      log,
    })
    const auditor = createAuditor({
      domains,
      store,
      lists: connection.lists,
      isReleased: (domain) => rings.ring(domain).released,
      intervalMs: config.auditIntervalMs,
      ...overrides.audit,
      clock,
      random,
      metrics,
      log,
    })
    const readiness = createReadiness({
      store,
      registrar: sharing,
      dispatcher,
      leases,
      audits: () => sharedAudits(leases, auditor.views()),
      clock,
    })
    const receiver = createReceiver({
      domains,
      skewSeconds: config.clockSkewSeconds,
      keys: { ...rings, ...registrar, ...sharing },
      events: store,
      clock,
      metrics: {
        ...metrics,
        callback(domain, outcome, seconds) {
          metrics.callback(domain, outcome, seconds)
          if (NOT_TAKEN.has(outcome)) auditor.turnedAway(domain)
        },
      },
      log,
    })

    const { app: opsApp, feed } = createOps(
      config,
      {
        store,
        readiness,
        registrations: sharing.views,
        audits: () => sharedAudits(leases, auditor.views()),
        metrics,
        version: VERSION,
      },
      overrides,
    )
    const notify = () => {
      dispatcher.notify()
      feed.notify()
    }
    parts = { dispatcher, registrar, leases, audits: auditor.views, notify }
    const ops = await listen(opsApp, { ...config.opsListen, log })
    stops.push(() => {
      feed.close()
      return ops.close(DRAIN_OPS_MS)
    })
    const running = new AbortController()
    stops.push(() => dispatcher.stop(AbortSignal.timeout(DRAIN_SINKS_MS)))
    const callbackApp = createCallbackApp({ receiver, ...rings, secrets, log })
    const callbacks = await listen(callbackApp, { ...config.listen, log })
    const background = [
      whileOwner(leases, 'registrar', running.signal, (lease) =>
        registrar.run(AbortSignal.any([running.signal, lease.lost])),
      ),
      rings.run(running.signal),
      janitor.run(running.signal),
      whileOwner(leases, 'audit', running.signal, (lease) =>
        auditor.run(AbortSignal.any([running.signal, lease.lost])),
      ),
      ...(shared === undefined ? [] : [auditor.runBeside(running.signal)]),
      // Replicas count the streams of a shared store all the time, one of them at a time.
      ...(shared === undefined ? [fillStreams({ store, clock, log, signal: running.signal })] : []),
      probeAfterStart({
        publicUrl: config.publicUrls[0],
        send: (until) => probePublicUrl(config, secrets, until),
        clock,
        metrics,
        log,
        signal: running.signal,
      }),
    ]
    stops.push(async () => {
      running.abort()
      readiness.stop()
      await Promise.all([callbacks.close(DRAIN_CALLBACKS_MS), ...background])
    })
    void dispatcher.run()
    listening = { callbacks, ops }
    announceStart(listening, config, log)
  }

  function stop(): Promise<void> {
    stopping ??= Promise.race([stopAll(), late()])
    return stopping
  }

  async function stopAll(): Promise<void> {
    for (const each of stops.reverse()) {
      try {
        await each()
      } catch (error) {
        log.error('stopping one part of the service failed', describeBug(error))
      }
    }
    stopped.abort()
    if (listening !== undefined) log.info('stopped')
  }

  /** What hangs longer is left behind: the kernel takes back what the process holds. */
  async function late(): Promise<void> {
    await clock.sleep(STOP_MS, stopped.signal)
    if (!stopped.signal.aborted) log.error('stopped without waiting for all parts')
  }

  return {
    start,
    stop,
    urls() {
      if (listening === undefined) throw new TypeError('not started')
      return { callbacks: listening.callbacks.url, ops: listening.ops.url }
    },
  }
}

function announceStart(
  { callbacks, ops }: { callbacks: Listener; ops: Listener },
  { publicUrls: [publicUrl], domains, sinks, liveEndpoint, apiJwks }: Config,
  log: Log,
): void {
  log.info('listening', { version: VERSION, callbacks: callbacks.url, ops: ops.url, domains })
  if (publicUrl.startsWith('http:')) {
    log.warn('the public URL is plain http: callbacks can be read and copied on their way')
  }
  if (isPlainAndRemote(liveEndpoint)) {
    log.warn(
      "the provider's API is called over plain http: signed calls and notify keys can be read",
    )
  }
  if (apiJwks !== undefined && isPlainAndRemote(apiJwks.url)) {
    log.warn(
      'the key set for API tokens comes over plain http: whoever is on the way can make tokens',
    )
  }
  for (const { name, url } of sinks) {
    const what = readableOnTheWay(url)
    if (what === undefined) continue
    const scheme = new URL(url).protocol.slice(0, -1)
    log.warn(`a sink is plain ${scheme}: ${what} can be read on their way`, { sink: name })
  }
}
