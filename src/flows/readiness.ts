// Whether the service is ready for callbacks, and the figures that are read when asked for. Once it
// is ready only the store and its own end change that: a fault of the provider must not take the
// receivers out of service.
import { describeError } from '../errors.ts'
import type { Clock } from '../ports/clock.ts'
import type { Sample } from '../ports/metrics.ts'
import type { Store } from '../ports/store.ts'
import type { AuditView, Readiness, SinkView } from '../ports/views.ts'
import type { Dispatcher } from './deliver/dispatcher.ts'
import type { Registrar } from './register/registrar.ts'

/** So long the first pass over the domains may hold readiness up. */
const FIRST_PASS_MS = 30_000

export type ReadinessFlow = ReturnType<typeof createReadiness>

export function createReadiness(deps: {
  store: Pick<Store, 'checkWritable' | 'stats' | 'countDeadLetters'>
  registrar: Pick<Registrar, 'views'>
  dispatcher: Pick<Dispatcher, 'progress'>
  /** What is shown of the audits; none of it keeps a service from being ready. */
  audits: () => readonly AuditView[]
  clock: Clock
}) {
  const { store, registrar, dispatcher, audits, clock } = deps
  const startedAt = clock.elapsed()
  let stopping = false
  let registeredOnce = false
  /** As last known: a store that fails tells nothing of it, and sinks show all the same. */
  let known = { events: 0, lastSeq: 0, letters: new Map() as ReadonlyMap<string, number> }

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
    }
  }

  async function learn(): Promise<void> {
    const [stats, letters] = await Promise.all([store.stats(), store.countDeadLetters()])
    known = { ...stats, letters }
  }

  function sinkViews(): SinkView[] {
    return dispatcher.progress().map(({ name, cursor, state, problem, size }) => ({
      name,
      state,
      lag: Math.max(0, known.lastSeq - cursor),
      batchSize: size.limit,
      detail: problem,
      deadLetters: known.letters.get(name) ?? 0,
    }))
  }

  /** Rejects where the store does. */
  async function sample(): Promise<Sample> {
    await learn()
    return {
      eventsStored: known.events,
      lagBySink: new Map(sinkViews().map(({ name, lag }) => [name, lag])),
      // Also of sinks that are not in the settings any more: somebody has to see to them.
      deadLettersBySink: known.letters,
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
