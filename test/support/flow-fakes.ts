// Hand-written stand-ins for what the flows need of the world.
import type { RejectedEvent } from '../../src/core/delivery/outcome.ts'
import type { NewEvent, StoredEvent } from '../../src/core/events/snapshot-event.ts'
import type { Ring } from '../../src/core/keys/key-ring.ts'
import type { Observed } from '../../src/core/registration/observation.ts'
import type { Registration } from '../../src/core/registration/registration.ts'
import { type FaultCode, ServiceError } from '../../src/errors.ts'
import type { LiveApi } from '../../src/ports/live-api.ts'
import type { Log } from '../../src/ports/log.ts'
import type { RegistrarMetrics, RingMetrics } from '../../src/ports/metrics.ts'
import type { Reading } from '../../src/ports/reading.ts'
import type {
  DeadLetter,
  DeadLetterChange,
  DeadLetterQuery,
  Replay,
  ReplayProgress,
  ReplayRequest,
  Store,
  Tally,
} from '../../src/ports/store.ts'
import { memoryAudits } from './memory-audits.ts'
import { memoryReading } from './memory-reading.ts'

export type LogLine = {
  level: keyof Log
  message: string
  fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: LogLine[]; story(): string[] } {
  const lines: LogLine[] = []
  const at =
    (level: keyof Log): Log['info'] =>
    (message, fields = {}) => {
      lines.push({ level, message, fields })
    }
  return {
    lines,
    /** What an operator reads at `info`. */
    story: () => lines.filter(({ level }) => level !== 'debug').map(({ message }) => message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

/** A store in memory. `fail` makes everything reject until it is set to undefined. */
export function memoryStore(): Store &
  Reading & {
    fail: FaultCode | undefined
    letters: DeadLetter[]
    replays: Replay[]
    rings: Map<string, { ring: Ring; revision: number }>
  } {
  const events: StoredEvent[] = []
  const cursors = new Map<string, number>()
  const tallies = new Map<string, Tally>()
  let version = 0
  let receivingTime = 0
  const check = (): void => {
    if (store.fail) throw new ServiceError('the store fails', { code: store.fail })
  }
  const appendNow = (event: NewEvent) => {
    const known = events.find(({ id }) => id === event.id)
    if (known) return { seq: known.seq, duplicate: true }
    events.push({ ...event, seq: events.length + 1 })
    return { seq: events.length, duplicate: false }
  }
  const store = {
    fail: undefined as FaultCode | undefined,
    letters: [] as DeadLetter[],
    replays: [] as Replay[],
    rings: new Map<string, { ring: Ring; revision: number }>(),
    async append(event: NewEvent) {
      check()
      const { unsigned } = await store.loadTally(event.domain)
      tallies.set(event.domain, { lastCallbackAt: event.receivedAt, unsigned })
      return appendNow(event)
    },
    async read(after: number, limit: number, maxBytes = Number.POSITIVE_INFINITY) {
      check()
      let bytes = 0
      const end = events.findIndex(({ body }, index) => {
        if (index < after) return false
        bytes += body.byteLength
        return index > after && bytes > maxBytes
      })
      return events.slice(after, Math.min(after + limit, end === -1 ? events.length : end))
    },
    async stats() {
      check()
      return { events: events.length, lastSeq: events.length }
    },
    async loadRing(domain: string) {
      check()
      return store.rings.get(domain) ?? null
    },
    async saveRing(domain: string, ring: Ring, revision: number) {
      check()
      if ((store.rings.get(domain)?.revision ?? 0) !== revision) return null
      version += 1
      store.rings.set(domain, { ring, revision: revision + 1 })
      return revision + 1
    },
    async ringsVersion() {
      check()
      return version
    },
    async loadCursor(sink: string) {
      check()
      return cursors.get(sink) ?? 0
    },
    async advanceCursor(sink: string, seq: number, rejected: readonly RejectedEvent[] = []) {
      check()
      cursors.set(sink, seq)
      for (const each of rejected) {
        store.letters.push({ ...each, sink, diedAt: 0, retryRequested: false })
      }
    },
    async listCursors() {
      check()
      return [...cursors].map(([sink, seq]) => ({ sink, seq }))
    },
    async readDeadLetters({ sink, retryRequested, after = 0, limit }: DeadLetterQuery) {
      check()
      return store.letters
        .filter((letter) => sink === null || letter.sink === sink)
        .filter((letter) => !retryRequested || letter.retryRequested)
        .filter(({ event }) => event.seq > after)
        .slice(0, limit)
    },
    async countDeadLetters() {
      check()
      const counts = new Map<string, number>()
      for (const { sink } of store.letters) counts.set(sink, (counts.get(sink) ?? 0) + 1)
      return counts
    },
    async changeDeadLetters(change: DeadLetterChange) {
      check()
      const seqs = change.kind === 'failed_again' ? [change.seq] : change.seqs
      const isMeant = ({ sink, event }: DeadLetter) =>
        (change.sink ?? sink) === sink && (seqs?.includes(event.seq) ?? true)
      const meant = store.letters.filter(isMeant)
      store.letters = store.letters.flatMap((letter): DeadLetter[] => {
        if (!isMeant(letter)) return [letter]
        if (change.kind === 'failed_again') {
          const attempts = letter.attempts + change.attempts
          return [{ ...letter, reason: change.reason, attempts, retryRequested: false }]
        }
        return change.kind === 'drop' ? [] : [{ ...letter, retryRequested: true }]
      })
      return meant.length
    },
    async loadReceivingTime() {
      check()
      return receivingTime
    },
    async addReceivingTime(seconds: number) {
      check()
      receivingTime += seconds
    },
    async loadTally(domain: string) {
      check()
      return tallies.get(domain) ?? { lastCallbackAt: null, unsigned: 0 }
    },
    async addUnsigned(domain: string, count: number) {
      check()
      const { lastCallbackAt, unsigned } = await store.loadTally(domain)
      tallies.set(domain, { lastCallbackAt, unsigned: unsigned + count })
    },
    async requestReplay(request: ReplayRequest) {
      check()
      const id = store.replays.length + 1
      const lastSeq = cursors.get(request.sink) ?? 0
      store.replays.push({
        ...request,
        ...{ id, lastSeq, requestedAt: 0, lookedUpTo: 0, delivered: 0, rejected: 0 },
        ...{ endedAt: null, cancelled: false },
      })
      return id
    },
    async nextReplay(sink: string) {
      check()
      return store.replays.find((it) => it.sink === sink && it.endedAt === null) ?? null
    },
    async listReplays() {
      check()
      return store.replays.toReversed()
    },
    async advanceReplay({ id, seq, delivered, rejected, isEnd }: ReplayProgress) {
      check()
      store.replays = store.replays.map((it) =>
        it.id !== id || it.endedAt !== null
          ? it
          : {
              ...it,
              lookedUpTo: seq,
              delivered: it.delivered + delivered,
              rejected: it.rejected + rejected,
              endedAt: isEnd ? 1 : null,
            },
      )
    },
    async cancelReplay(id: number) {
      check()
      const isOpen = store.replays.some((it) => it.id === id && it.endedAt === null)
      store.replays = store.replays.map((it) =>
        it.id === id && isOpen ? { ...it, endedAt: 1, cancelled: true } : it,
      )
      return isOpen
    },
    async prune() {
      check()
      return { removed: 0, expired: [], seconds: 0, usedBytes: 0, isCrowded: false, isMore: false }
    },
    async pruneLetters() {
      check()
      return { removed: 0, expired: [], seconds: 0 }
    },
    async readExpired() {
      check()
      return []
    },
    async dropExpired() {
      check()
      return 0
    },
    ...memoryAudits({ check, events, append: appendNow }),
    ...memoryReading(() => events, check),
    async checkWritable() {
      check()
    },
    async close() {},
  }
  return store
}

/** The provider, as far as the registrar sees it: one configuration per domain. */
export function fakeApi(now: () => number) {
  const configurations = new Map<string, Observed>()
  const shown = new Map<string, { until: number; observed: Observed }>()
  const calls: {
    operation: 'describe' | 'add' | 'update' | 'remove'
    domain: string
    at: number
  }[] = []
  const faults: { operation: string; code: FaultCode; times: number }[] = []

  function call(operation: 'describe' | 'add' | 'update' | 'remove', domain: string): void {
    calls.push({ operation, domain, at: now() })
    const fault = faults.find((each) => each.operation === operation && each.times > 0)
    if (fault === undefined) return
    fault.times -= 1
    throw new ServiceError(`${operation} fails (${fault.code})`, { code: fault.code })
  }

  function write(domain: string, { url, key }: Registration): void {
    const before = configurations.get(domain) ?? { kind: 'absent' as const }
    if (fake.lagMs > 0) shown.set(domain, { until: now() + fake.lagMs, observed: before })
    configurations.set(domain, { kind: 'present', url, auth: true, key })
    if (fake.lostAnswers === 0) return
    fake.lostAnswers -= 1
    throw new ServiceError('the answer is lost', { code: 'api_unavailable' })
  }

  const api: LiveApi = {
    async describe(domain) {
      call('describe', domain)
      const lagging = shown.get(domain)
      const observed = configurations.get(domain) ?? { kind: 'absent' as const }
      const seen = lagging && now() < lagging.until ? lagging.observed : observed
      return seen.kind === 'present' ? { ...seen, key: fake.show(seen.key) } : seen
    },
    async add(domain, registration) {
      call('add', domain)
      if (configurations.has(domain)) {
        throw new ServiceError('exists', { code: 'api_config_exists' })
      }
      write(domain, registration)
    },
    async update(domain, registration) {
      call('update', domain)
      if (!configurations.has(domain)) {
        throw new ServiceError('not found', { code: 'api_config_not_found' })
      }
      write(domain, registration)
    },
    async remove(domain) {
      call('remove', domain)
      configurations.delete(domain)
    },
  }
  const fake = {
    api,
    calls,
    faults,
    configurations,
    lagMs: 0,
    /** So many writes take effect and are answered with a fault. */
    lostAnswers: 0,
    show: (key: string | null): string | null => key,
    /** Whether it fails, lags, or still shows what was there before. */
    isTroubled: (): boolean =>
      fake.lagMs > 0 ||
      fake.lostAnswers > 0 ||
      faults.some(({ times }) => times > 0) ||
      [...shown.values()].some(({ until }) => now() < until),
    /** From now on it does what is asked, and shows it. */
    calm(): void {
      fake.lagMs = 0
      fake.lostAnswers = 0
      faults.length = 0
      shown.clear()
    },
    count: (operation: string) => calls.filter((each) => each.operation === operation).length,
  }
  return fake
}

/** Registrar metrics that keep the last state, and every change, of each domain. */
export function keptMetrics() {
  const states = new Map<string, string>()
  const changes: string[] = []
  const generations = new Map<string, number>()
  const lastCallbacks = new Map<string, number>()
  const metrics: RegistrarMetrics & RingMetrics = {
    registration: (domain, state) => states.set(domain, state),
    changed: (_domain, change) => changes.push(change),
    keyInForce: (domain, generation) => generations.set(domain, generation),
    lastCallback: (domain, at) => lastCallbacks.set(domain, at),
  }
  return { metrics, states, changes, generations, lastCallbacks }
}
