// The composition root: puts the flows, the listeners and the store together, starts them in order
// and stops them in reverse. Every part of the world can be replaced by an override.
import type { Config } from '../config/config.ts'
import { createAuditor } from '../flows/audit/auditor.ts'
import { createDispatcher } from '../flows/deliver/dispatcher.ts'
import { createReadiness } from '../flows/readiness.ts'
import { createJanitor } from '../flows/retain/janitor.ts'
import { listen } from '../http/listen.ts'
import { createMetrics } from '../telemetry/metrics.ts'
import { announceStart } from './announce-start.ts'
import { runInBackground } from './background.ts'
import { createCallbacks } from './callbacks.ts'
import { createOps } from './ops.ts'
import { createOrderlyEnd } from './orderly-end.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import {
  databaseNews,
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
import { createRegistration, openApi, openSinks } from './wiring.ts'

/** Callbacks in flight are answered within this: the store's time-out, and a little. */
const DRAIN_CALLBACKS_MS = 3_200
/** Then the sinks may have what is in the log; what is left they get after the next start. */
const DRAIN_SINKS_MS = 1_000
/** Probes and scrapes are short. */
const DRAIN_OPS_MS = 200

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
  const end = createOrderlyEnd({ clock, log })
  let listening: { callbacks: string; ops: string } | undefined

  async function start(signal: AbortSignal): Promise<void> {
    try {
      await compose(signal)
    } catch (error) {
      await end.stop()
      throw error
    }
  }

  async function compose(signal: AbortSignal): Promise<void> {
    const { domains } = config
    end.add(() => {
      if (listening !== undefined) log.info('stopped')
    })
    /** Once they are there. */
    let parts: Parts | undefined
    const lock = await lockStore(config, overrides, signal)
    end.add(() => lock?.release())

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
      ...databaseNews(log, metrics),
      replica: {
        name: replicaName(),
        version: VERSION,
        view: () => viewOf(config, parts),
        onGrowth: () => parts?.notify(),
        isFollowed: () => parts?.isFollowed() === true,
        news: leaseNews(log, metrics, (domain) => parts?.registrar.look(domain)),
      },
    })
    end.add(() => store.close())

    const connection = openApi(config, overrides, metrics.apiCall)
    end.add(() => connection.close())
    const { keyMaxAgeMs } = config
    const { rings, registrar } = createRegistration(
      config,
      {
        ...{ domains, keyMaxAgeMs, secrets, store, api: connection.api, metrics },
        countsTime: () => leases.isOwner('registrar'),
        mayWrite: () => leases.isOwner('registrar'),
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
      durability: shared?.location.durability,
      clock,
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
    const isFollowed = () => feed.count() > 0
    parts = { dispatcher, registrar, leases, audits: auditor.views, notify, isFollowed }
    const ops = await listen(opsApp, { ...config.opsListen, log })
    end.add(() => {
      feed.close()
      return ops.close(DRAIN_OPS_MS)
    })
    const running = new AbortController()
    end.add(() => dispatcher.stop(AbortSignal.timeout(DRAIN_SINKS_MS)))
    const callbackApp = createCallbacks(
      config,
      { store, rings, secrets, metrics, registrar: { ...registrar, ...sharing }, auditor },
      overrides,
    )
    const callbacks = await listen(callbackApp, { ...config.listen, log })
    const background = runInBackground(
      config,
      {
        store,
        isShared: shared !== undefined,
        leases,
        secrets,
        rings,
        registrar,
        janitor,
        auditor,
        metrics,
      },
      overrides,
      running.signal,
    )
    end.add(async () => {
      running.abort()
      readiness.stop()
      await Promise.all([callbacks.close(DRAIN_CALLBACKS_MS), background])
    })
    void dispatcher.run()
    listening = { callbacks: callbacks.url, ops: ops.url }
    announceStart(config, listening, log)
  }

  return {
    start,
    stop: end.stop,
    urls() {
      if (listening === undefined) throw new TypeError('not started')
      return listening
    },
  }
}
