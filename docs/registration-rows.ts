// The rows of the machine in `registration.md`: short histories, run through the machine itself. What
// a row says of its last event is what the code does with it.
import {
  EMPTY_RING,
  type KeyId,
  type Ring,
  withConfirmedUrl,
  withCurrent,
  withReleased,
} from '../src/core/keys/key-ring.ts'
import { createKeySearch, notifyKey, type Secret, secretFrom } from '../src/core/keys/notify-key.ts'
import {
  type Effect,
  type Event,
  isTask,
  type Present,
  type Task,
} from '../src/core/registration/events.ts'
import { next } from '../src/core/registration/machine.ts'
import type { Observed } from '../src/core/registration/observation.ts'
import { type DomainState, newDomain, type Outcome } from '../src/core/registration/state.ts'

const DOMAIN = 'play.example.com'
const URL = `https://hook.example.com/callbacks/${DOMAIN}`
const FORMER = `https://former.example.com/callbacks/${DOMAIN}`
const ELSEWHERE = 'https://elsewhere.example.com/cb'
const FIRST = secretFrom(new Uint8Array(32).fill(1))
const OLDER = secretFrom(new Uint8Array(32).fill(2))
const MINUTE_MS = 60_000
const INTERVAL_MS = 5 * MINUTE_MS

const START: Present = { now: 0, receiving: 0, elapsed: 0, random: 0.5, ring: EMPTY_RING }
const derived = (generation: number, secret = FIRST): KeyId => ({
  kind: 'derived',
  secret: secret.fingerprint,
  generation,
})
const KNOWN: Ring = {
  ...withConfirmedUrl(withCurrent(EMPTY_RING, derived(0), START), URL),
  movedTo: FIRST.fingerprint,
}
const overwritten = (count: number): Ring => ({
  ...KNOWN,
  contest: { seenAt: Array.from({ length: count }, () => 0), heldAt: null },
})
const CONTESTED: Ring = { ...KNOWN, contest: { seenAt: [0, 0, 0], heldAt: 0 } }
/** Held for more than an hour: one write is allowed. */
const LONG_CONTESTED: Ring = { ...KNOWN, contest: { seenAt: [0, 0, 0], heldAt: -2 * 3_600_000 } }

const looked = (observed: Observed): Event => ({ kind: 'looked', observed })
const shown = (over: Partial<Extract<Observed, { kind: 'present' }>> = {}): Event =>
  looked({ kind: 'present', url: URL, auth: true, key: notifyKey(FIRST, DOMAIN, 0), ...over })
const NOTHING = looked({ kind: 'absent' })
const failed = (kind: 'passing' | 'race' | 'lasting', mayHaveTakenEffect = false): Event => ({
  kind: 'failed',
  fault: { kind, problem: 'FAULT', mayHaveTakenEffect },
})
const STARTED: Event = { kind: 'started' }
const DUE: Event = { kind: 'due' }
const READ: Event = { kind: 'ring_read' }
const SAVED: Event = { kind: 'saved' }
const OUTRUN: Event = { kind: 'outrun' }
const WRITTEN: Event = { kind: 'written' }
const ASKED: Event = { kind: 'asked' }
const ROTATE: Event = { kind: 'rotate' }
const RELEASED: Event = { kind: 'release_changed' }
const LOOK = [STARTED, READ]
const AGAIN = [DUE, READ]
const CREATED = [...LOOK, NOTHING, SAVED, WRITTEN]

type Row = {
  /** What it takes for this row, beyond phase and event; '' for nothing. */
  readonly when: string
  readonly events: readonly Event[]
  readonly ring?: Ring
  readonly takeover?: boolean
  /** Milliseconds before the last event. */
  readonly afterMs?: number
}

export const ROWS: readonly Row[] = [
  { when: '', events: [STARTED] },
  { when: '', events: [...LOOK, shown(), DUE], ring: KNOWN },
  { when: '', events: LOOK },
  { when: 'deregistered', events: LOOK, ring: withReleased(KNOWN) },
  { when: 'another first secret than before', events: LOOK, ring: { ...KNOWN, movedTo: 'x' } },
  { when: 'may pass', events: [STARTED, failed('passing')] },
  { when: 'needs a person', events: [STARTED, failed('lasting')] },
  { when: 'nothing, and never ours', events: [...LOOK, NOTHING] },
  { when: 'nothing, and ours before', events: [...LOOK, NOTHING], ring: KNOWN },
  { when: 'ours, as this store knows it', events: [...LOOK, shown()], ring: KNOWN },
  { when: 'ours, new to this store', events: [...LOOK, shown()] },
  {
    when: 'ours, a key of an older secret',
    events: [...LOOK, shown({ key: notifyKey(OLDER, DOMAIN, 0) })],
  },
  { when: 'ours, a rotation is asked for', events: [ROTATE, ...LOOK, shown()], ring: KNOWN },
  { when: 'ours, a key set elsewhere', events: [...LOOK, shown({ key: 'setElsewhere1234' })] },
  { when: 'ours, no key shown', events: [...LOOK, shown({ key: null })], ring: KNOWN },
  { when: 'ours, no key shown, new here', events: [...LOOK, shown({ key: null })] },
  { when: 'ours, authentication off', events: [...LOOK, shown({ auth: false })], ring: KNOWN },
  {
    when: 'the same, third time in an hour',
    events: [...LOOK, shown({ auth: false })],
    ring: overwritten(2),
  },
  { when: 'a former URL of ours', events: [...LOOK, shown({ url: FORMER })] },
  { when: 'another URL', events: [...LOOK, shown({ url: ELSEWHERE })] },
  { when: 'another URL, takeover', events: [...LOOK, shown({ url: ELSEWHERE })], takeover: true },
  { when: 'our write', events: [...CREATED, ...AGAIN, shown()] },
  {
    when: 'our write, answer lost',
    events: [...LOOK, NOTHING, SAVED, failed('passing', true), ...AGAIN, shown()],
  },
  { when: 'what was there before our write', events: [...CREATED, ...AGAIN, NOTHING] },
  {
    when: 'the same, after five minutes',
    events: [...CREATED, ...AGAIN, NOTHING],
    afterMs: INTERVAL_MS,
  },
  { when: 'may pass', events: [...LOOK, failed('passing')] },
  { when: 'needs a person', events: [...LOOK, failed('lasting')] },
  { when: 'before the look', events: [...LOOK, SAVED], ring: { ...KNOWN, movedTo: 'x' } },
  { when: 'a write', events: [...LOOK, NOTHING, SAVED] },
  { when: 'a write of what was ours', events: [...LOOK, NOTHING, SAVED], ring: KNOWN },
  {
    when: 'a write that failed before',
    events: [...LOOK, NOTHING, SAVED, failed('passing', true), ...AGAIN, NOTHING, SAVED],
  },
  { when: 'a rotation', events: [ROTATE, ...LOOK, shown(), SAVED], ring: KNOWN },
  { when: 'nothing to write', events: [...LOOK, shown(), SAVED] },
  {
    when: 'an adoption',
    events: [...LOOK, shown({ key: 'setElsewhere1234' }), SAVED],
  },
  { when: 'our write shows', events: [...CREATED, ...AGAIN, shown(), SAVED] },
  {
    when: 'our write shows, a rotation is asked for',
    events: [...CREATED, ROTATE, ...AGAIN, shown(), SAVED],
  },
  {
    when: 'ours again, lately contested',
    events: [...LOOK, shown({ key: notifyKey(FIRST, DOMAIN, 1) }), SAVED],
    ring: CONTESTED,
  },
  {
    when: 'contested',
    events: [...LOOK, shown({ auth: false }), SAVED],
    ring: overwritten(2),
  },
  {
    when: 'a write was made',
    events: [...LOOK, shown({ auth: false }), SAVED, WRITTEN, SAVED],
    ring: LONG_CONTESTED,
  },
  { when: 'a write was refused', events: [...LOOK, NOTHING, SAVED, failed('passing'), SAVED] },
  { when: 'a write raced with another', events: [...LOOK, NOTHING, SAVED, failed('race'), SAVED] },
  { when: 'decide again', events: [...LOOK, NOTHING, OUTRUN] },
  { when: 'may pass', events: [...LOOK, NOTHING, failed('passing')] },
  { when: '', events: CREATED },
  { when: 'stopped, and run again', events: [...LOOK, NOTHING, SAVED, STARTED] },
  {
    when: 'contested',
    events: [...LOOK, shown({ auth: false }), SAVED, WRITTEN],
    ring: LONG_CONTESTED,
  },
  { when: 'refused', events: [...LOOK, NOTHING, SAVED, failed('passing')] },
  { when: 'no answer', events: [...LOOK, NOTHING, SAVED, failed('passing', true)] },
  { when: 'raced', events: [...LOOK, NOTHING, SAVED, failed('race')] },
  { when: 'resting', events: [...LOOK, shown(), ASKED], ring: KNOWN },
  { when: 'a look is under way', events: [...LOOK, ASKED] },
  {
    when: 'within 30 seconds of the last',
    events: [...LOOK, ASKED, shown(), READ, shown(), ASKED],
    ring: KNOWN,
  },
  { when: '', events: [...LOOK, ROTATE] },
  { when: 'resting', events: [...LOOK, shown(), RELEASED], ring: KNOWN },
  { when: 'a look is under way', events: [...LOOK, RELEASED] },
]

export type Told = {
  readonly when: string
  readonly before: DomainState
  readonly event: Event
  readonly outcome: Outcome
}

/** Runs the history of a row, with the ring saved where it says so. Returns what comes of the end. */
export function run({ when, events, ring = EMPTY_RING, takeover = false, afterMs = 0 }: Row): Told {
  const secrets: [Secret, Secret] = [FIRST, OLDER]
  const search = createKeySearch(secrets)
  const formerPublicUrls = ['https://former.example.com']
  const own = { domain: DOMAIN, url: URL, formerPublicUrls, takeover, secrets, search }
  let state = newDomain({ ...own, intervalMs: INTERVAL_MS, keyMaxAgeMs: undefined }, 0)
  let now = { ...START, ring }
  let task: Task | undefined
  for (const event of events.slice(0, -1)) hear(event)
  now = { ...now, now: afterMs, elapsed: afterMs }
  const before = state
  const event = events.at(-1) as Event
  return { when, before, event, outcome: hear(event) }

  function hear(event: Event): Outcome {
    if (event.kind === 'saved' && task?.kind === 'save_ring') now = { ...now, ring: task.to }
    const outcome = next(state, event, now)
    state = outcome.state
    task = outcome.effects.find(isTask) ?? task
    return outcome
  }
}

/** The tables: one for each phase, and one for what may come at any time. */
export const TABLES = [
  'resting',
  'reading',
  'describing',
  'saving',
  'writing',
  'at any time',
] as const

/** Events that answer no task. */
export const BY_THEMSELVES: ReadonlySet<Event['kind']> = new Set([
  'asked',
  'rotate',
  'release_changed',
])

/** Part of every look: the page says so once. */
const UNSAID: ReadonlySet<Effect['kind']> = new Set(['look_begins', 'look_ends', 'key_hidden'])

/** The rows of one table: event, condition, what follows, effects. */
export function rowsOf(table: string): string[][] {
  return ROWS.map(run)
    .filter(({ before, event }) =>
      BY_THEMSELVES.has(event.kind) ? table === 'at any time' : table === before.phase.kind,
    )
    .map(({ when, event, outcome: { state, effects } }) => [
      `\`${event.kind}\``,
      when,
      followed(state),
      effects
        .filter(({ kind }) => !UNSAID.has(kind))
        .map(asked)
        .join(', '),
    ])
}

/** What follows an event: the phase, and what it is for. */
export function followed({ phase, isWanted }: DomainState): string {
  if (isWanted) return `${phase.kind}; then a look`
  if (phase.kind !== 'saving') return phase.kind
  const { goal } = phase
  return `saving: ${goal.kind === 'act' ? goal.decision.kind : goal.kind}`
}

function asked(effect: Effect): string {
  switch (effect.kind) {
    case 'log':
      return `log ${effect.level}`
    case 'state':
      return `state \`${effect.state}\``
    case 'changed':
      return `changed \`${effect.change}\``
    case 'save_ring':
      return `save_ring (${changed(effect.from, effect.to)})`
    case 'write':
      return `write ${effect.operation}`
    case 'wake_in':
      return `wake_in ${showMs(effect.ms)}`
    default:
      return effect.kind
  }
}

function showMs(ms: number): string {
  if (ms > 0 && ms < 1_000) return `${ms} ms`
  return ms < MINUTE_MS ? `${ms / 1_000} s` : `${ms / MINUTE_MS} min`
}

function changed(from: Ring, to: Ring): string {
  const fields = Object.keys(to) as (keyof Ring)[]
  return fields
    .filter((field) => JSON.stringify(from[field]) !== JSON.stringify(to[field]))
    .join(' ')
}
