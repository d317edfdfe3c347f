// A provider and a store, as far as the machine of one domain sees them, and others who change both.
// Whatever the machine asks for is judged by what is promised before it is done.
import {
  EMPTY_RING,
  type KeyId,
  type Ring,
  sameKey,
  withCurrent,
  withReleased,
  withUse,
} from '../../../src/core/keys/key-ring.ts'
import { notifyKey, type Secret } from '../../../src/core/keys/notify-key.ts'
import {
  type Event,
  type Fault,
  isTask,
  type Present,
  type Task,
} from '../../../src/core/registration/events.ts'
import { next } from '../../../src/core/registration/machine.ts'
import type { Observed } from '../../../src/core/registration/observation.ts'
import { type DomainState, newDomain } from '../../../src/core/registration/state.ts'
import { createJudge, type Turn } from './machine-judge.ts'
import type { Chance } from './random.ts'
import { DOMAIN, ELSEWHERE, FOREIGN, FORMER, NEW, OLD, URL_, WEAK } from './situations.ts'

const GENERATIONS = 64
export const INTERVAL_MS = 300_000
const HOUR_MS = 3_600_000
const PUBLIC_FORMER = 'https://former.example.com'

/** A search that finds nothing costs a thousand hashes, and there are few keys here. */
const known = new Map<string, { secret: string; generation: number }>()
for (let generation = 0; generation < GENERATIONS; generation++) {
  for (const secret of [OLD, NEW]) {
    known.set(notifyKey(secret, DOMAIN, generation), { secret: secret.fingerprint, generation })
  }
}
const search = (key: string) => known.get(key)

export type World = ReturnType<typeof createWorld>

export function createWorld(
  chance: Chance,
  trace: string[] | null,
  watch: (turn: Turn) => void = () => undefined,
) {
  const takeover = chance.is(0.5)
  const keyMaxAgeMs = chance.is(0.3) ? 2 * HOUR_MS : undefined
  /** Whether another owner overwrites what is ours again and again. */
  const hasRival = chance.is(0.2)
  let secrets: [Secret, Secret] = chance.is(0.5) ? [NEW, OLD] : [OLD, NEW]
  const formerPublicUrls = chance.is(0.5) ? [PUBLIC_FORMER] : []
  const settings = { domain: DOMAIN, url: URL_, formerPublicUrls, takeover, search }
  const judge = createJudge({ takeover, search })
  let clock = 1_700_000_000_000
  let found: Observed = { kind: 'absent' }
  let lagging: { until: number; observed: Observed } | null = null
  let stored = { ring: EMPTY_RING, revision: 0 }
  /** What the process has in memory: the store may be ahead. */
  let cached = stored
  let state: DomainState
  let task: Task | null = null
  let wakeAt = 0
  const world = { lagMs: 0, faults: true, others: true }

  const present = (): Present => ({
    now: clock,
    elapsed: clock,
    receiving: clock / 1_000,
    random: chance(),
    ring: cached.ring,
  })

  function tell(event: Event): void {
    const now = present()
    trace?.push(`${state.phase.kind} ${JSON.stringify(event)}`)
    const before = state
    const { state: after, effects } = next(state, event, now)
    state = after
    const tasks = effects.filter(isTask)
    trace?.push(...effects.map((effect) => `  ${JSON.stringify(effect).slice(0, 200)}`))
    const turn = { before, event, after, effects, now, stored: stored.ring }
    judge.outcome(turn)
    watch(turn)
    if (effects.some(({ kind }) => kind === 'wake') && task?.kind === 'wake_in') wakeAt = clock
    const [asked] = tasks
    if (asked === undefined) return
    task = asked
    if (asked.kind === 'wake_in') wakeAt = clock + asked.ms
  }

  function follow(): void {
    const wasReleased = cached.ring.released
    cached = stored
    if (cached.ring.released !== wasReleased) tell({ kind: 'release_changed' })
  }

  function save(ring: Ring): void {
    stored = { ring, revision: stored.revision + 1 }
  }

  /** What the provider shows now. */
  function shown(): Observed {
    return lagging !== null && clock < lagging.until ? lagging.observed : found
  }

  function take(observed: Observed): void {
    lagging = world.lagMs > 0 ? { until: clock + world.lagMs, observed: shown() } : null
    found = observed
  }

  const failed = (over: Partial<Fault> = {}): Event => {
    const kind = chance.of(['passing', 'passing', 'race', 'lasting'] as const)
    return {
      kind: 'failed',
      fault: { kind, problem: `${kind} fault`, mayHaveTakenEffect: false, ...over },
    }
  }

  /** Does the task that is under way, in one way or another. */
  function answerTo(done: Task): Event {
    const mayFail = done.kind !== 'wake_in' && done.kind !== 'write'
    if (world.faults && mayFail && chance.is(0.08)) {
      return failed({ kind: chance.of(['passing', 'lasting']) })
    }
    switch (done.kind) {
      case 'read_ring':
        follow()
        return { kind: 'ring_read' }
      case 'describe':
        return { kind: 'looked', observed: shown() }
      case 'save_ring':
        return saveRing(done)
      case 'write':
        return write(done)
      case 'wake_in':
        clock = Math.max(clock, wakeAt)
        return { kind: 'due' }
    }
  }

  function saveRing({ from, to }: Extract<Task, { kind: 'save_ring' }>): Event {
    if (cached.revision !== stored.revision) follow()
    if (cached.ring !== from) return { kind: 'outrun' }
    save(to)
    cached = stored
    return { kind: 'saved' }
  }

  function write({ registration, operation }: Extract<Task, { kind: 'write' }>): Event {
    if (world.faults && chance.is(0.15)) return failed()
    if ((found.kind === 'absent') !== (operation === 'add')) return failed({ kind: 'race' })
    take({ kind: 'present', url: registration.url, auth: true, key: registration.key })
    if (world.faults && chance.is(0.15)) {
      return failed({ kind: 'passing', mayHaveTakenEffect: true })
    }
    return { kind: 'written' }
  }

  function answer(): void {
    tell(answerTo(task as Task))
  }

  const edits: readonly (() => void)[] = [
    () => edit({ url: ELSEWHERE }),
    () => edit({ url: FORMER }),
    () => edit({ auth: false }),
    () => edit({ key: FOREIGN }),
    () => edit({ key: WEAK }),
    () => edit({ key: null }),
    () => edit({ url: URL_, auth: true, key: ownKey() }),
    () => take({ kind: 'absent' }),
  ]

  const overwrites = [
    () => edit({ url: ELSEWHERE }),
    () => edit({ auth: false }),
    () => take({ kind: 'absent' }),
  ]

  function ownKey(): string {
    return notifyKey(chance.of([NEW, OLD]), DOMAIN, chance.below(4))
  }

  function edit(over: Partial<Extract<Observed, { kind: 'present' }>>): void {
    const before = { kind: 'present', url: ELSEWHERE, auth: true, key: FOREIGN } as const
    take({ ...before, ...(found.kind === 'present' ? found : {}), ...over })
  }

  const foreign: KeyId = { kind: 'foreign', key: FOREIGN }
  const ofOthers: readonly (() => void)[] = [
    () => chance.of(edits)(),
    () => chance.of(edits)(),
    () => {
      world.lagMs = chance.of([0, 0, 20_000, 240_000, 400_000])
    },
    () => tell({ kind: 'asked' }),
    () => {
      judge.rotationAsked()
      tell({ kind: 'rotate' })
    },
    // A command, or a process beside, changes the ring.
    () => {
      judge.released()
      save(chance.is(0.5) ? withReleased(stored.ring) : { ...stored.ring, released: false })
    },
    () => save(withUse(stored.ring, foreign, present())),
    () => {
      const { current } = stored.ring
      if (current?.kind !== 'derived') return
      const rotated = { ...current, generation: current.generation + 1 }
      save(withCurrent(stored.ring, rotated, present()))
      if (found.kind === 'present' && found.url === URL_) {
        const secret = [NEW, OLD].find(({ fingerprint }) => fingerprint === current.secret)
        edit({ key: notifyKey(secret as Secret, DOMAIN, rotated.generation) })
      }
    },
    follow,
    restart,
    stopAndGoOn,
  ]

  /** What was under way is dropped. A write may have been made. */
  function drop(): void {
    if (task?.kind !== 'write' || chance.is(0.5)) return
    const { url, key } = task.registration
    take({ kind: 'present', url, auth: true, key })
  }

  function stopAndGoOn(): void {
    drop()
    clock += chance.of([0, 1_000, 2 * INTERVAL_MS])
    trace?.push('stop')
    tell({ kind: 'started' })
  }

  /** Nothing but the store is left. */
  function restart(): void {
    drop()
    cached = stored
    // Settings may change at a restart.
    if (chance.is(0.3)) secrets = [secrets[1], secrets[0]]
    judge.restarted(stored.ring)
    trace?.push('restart')
    begin()
  }

  function begin(): void {
    const own = { ...settings, secrets, intervalMs: INTERVAL_MS, keyMaxAgeMs }
    state = newDomain(own, chance())
    task = null
    wakeAt = 0
    tell({ kind: 'started' })
  }

  if (chance.is(0.6)) chance.of(edits)()
  begin()

  return Object.assign(world, {
    /** Something happens: mostly that what is under way comes to its end. */
    happen(): void {
      const isOurs = found.kind === 'present' && found.url === URL_ && found.auth
      if (hasRival && world.others && isOurs && task?.kind === 'wake_in' && chance.is(0.7)) {
        chance.of(overwrites)()
        answer()
        return
      }
      if (world.others && chance.is(0.3)) {
        chance.of(ofOthers)()
        return
      }
      if (task?.kind === 'wake_in' && chance.is(0.3)) {
        clock += chance.of([1_000, 10_000, 60_000])
        if (clock < wakeAt) return
      }
      answer()
    },
    /** From now on nobody else does anything, and the provider works. */
    calm(): void {
      Object.assign(world, { lagMs: 0, faults: false, others: false })
      lagging = null
    },
    answer,
    clock: () => clock,
    state: () => state,
    found: () => found,
    isCurrent: (id: KeyId) => sameKey(stored.ring.current, id),
    stored: () => stored.ring,
    writes: judge.writes,
    keyMaxAgeMs,
    takeover,
    hasRival,
  })
}
