// Whether the service is ready for callbacks, and the figures that are read when asked for. Once it
// is ready only the store and its own end change that: a fault of the provider must not take the
// receivers out of service.
import { lagOf } from '../core/delivery/lag.ts'
import type { SinkState } from '../core/delivery/outcome.ts'
import { describeError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Leases } from '../ports/leases.ts'
import type { Sample } from '../ports/metrics.ts'
import type { LogStats, Store } from '../ports/store.ts'
import type { AuditView, DatabaseView, Readiness, ReplicaView, SinkView } from '../ports/views.ts'
import type { Dispatcher } from './deliver/dispatcher.ts'
import type { Registrar } from './register/registrar.ts'

/** The first pass over the domains may hold readiness up for this long. */
const FIRST_PASS_MS = 30_000

type Known = LogStats & {
  readonly letters: ReadonlyMap<string, number>
  readonly cursors: ReadonlyMap<string, number>
}

export type ReadinessFlow = ReturnType<typeof createReadiness>

export function createReadiness(deps: {
  store: Pick<Store, 'checkWritable' | 'stats' | 'countDeadLetters' | 'listCursors'>
  registrar: Pick<Registrar, 'views'>
  dispatcher: Pick<Dispatcher, 'progress'>
  leases: Pick<Leases, 'peers'>
  /** What is shown of the audits; none of it keeps a service from being ready. */
  audits: () => readonly AuditView[]
  /** Of a shared store. */
  durability?: DatabaseView['durability'] | undefined
  clock: Clock
}) {
  const { store, registrar, dispatcher, leases, audits, durability, clock } = deps
  const startedAt = clock.elapsed()
  let stopping = false
  let registeredOnce = false
  /** As last known: a store that fails tells nothing of it, and sinks show all the same. */
  let known: Known = { events: 0, lastSeq: 0, letters: new Map(), cursors: new Map() }

  async function check(): Promise<Readiness> {
    const registrations = registrar.views()
    const [storeProblem, sinks] = await Promise.all([
      store.checkWritable().then(() => null, describeError),
      learn().then(sinkViews, sinkViews),
    ])
    const waited = clock.elapsed() - startedAt >= FIRST_PASS_MS
    const passed = registrations.every(({ state }) => state !== 'pending')
    const keyKnown = registrations.some((view) => view.keyKnown)
    registeredOnce ||= (passed || waited) && keyKnown
    const reasons: string[] = []
    if (stopping) reasons.push('stopping')
    if (storeProblem !== null) reasons.push(storeProblem)
    if (!registeredOnce && !passed && !waited) reasons.push('first registration under way')
    if (!registeredOnce && !keyKnown) reasons.push('no notify key in force is known yet')
    return {
      ready: reasons.length === 0,
      reasons,
      store: storeProblem === null ? 'ok' : 'failing',
      registrations,
      sinks,
      audits: audits(),
      ...(durability !== undefined && {
        database: { durability, timeline: known.timeline ?? null },
      }),
      ...(leases.peers().length > 0 && { replicas: replicaViews() }),
    }
  }

  async function learn(): Promise<void> {
    const isShared = leases.peers().length > 0
    const [stats, letters, cursors] = await Promise.all([
      store.stats(),
      store.countDeadLetters(),
      isShared ? store.listCursors() : [],
    ])
    known = { ...stats, letters, cursors: new Map(cursors.map(({ sink, seq }) => [sink, seq])) }
  }

  /** Of a sink that another replica owns: where the store has its cursor, and what its owner says. */
  function sinkViews(): SinkView[] {
    const peers = leases.peers()
    return dispatcher.progress().map(({ name, cursor, state, problem, size, isOwned }) => {
      const owner = peers.find(({ tasks }) => tasks.includes(`sink:${name}`))
      const shown = isOwned ? undefined : owner?.view.owned.find(({ sink }) => sink === name)
      const at = isOwned ? cursor : Math.max(cursor, known.cursors.get(name) ?? 0)
      return {
        name,
        state: (shown?.state as SinkState | undefined) ?? state,
        lag: lagOf(at, known),
        batchSize: size.limit,
        detail: shown === undefined ? problem : shown.detail,
        deadLetters: known.letters.get(name) ?? 0,
        ...(peers.length > 0 && { owner: owner?.name ?? null }),
      }
    })
  }

  function replicaViews(): ReplicaView[] {
    return leases.peers().map(({ name, version, startedAt, seenMs, tasks }) => ({
      name,
      version,
      startedAt: new Date(startedAt).toISOString(),
      seenSeconds: Math.round(seenMs / 1_000),
      owns: tasks,
    }))
  }

  /** Rejects where the store does. */
  async function sample(): Promise<Sample> {
    await learn()
    const sinks = sinkViews()
    const isShared = leases.peers().length > 0
    return {
      eventsStored: known.events,
      lagBySink: new Map(sinks.map(({ name, lag }) => [name, lag])),
      // Also of sinks that are not in the settings any more: somebody has to see to them.
      deadLettersBySink: known.letters,
      ...(isShared && {
        byOwners: { registrations: registrar.views(), sinks, audits: audits() },
      }),
    }
  }

  return {
    check,
    sample,
    /** Never rejects; writes nothing. */
    sinks: (): Promise<readonly SinkView[]> => learn().then(sinkViews, sinkViews),
    stop() {
      stopping = true
    },
  }
}
