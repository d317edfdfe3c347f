// The registration of one domain as a state machine: state and event in, state and effects out. Pure.
// `docs/registration.md` is its table. A look goes: read the ring, ask the provider, decide, save the
// ring, act. So a crash at any step leaves nothing to repair but the next look.
import { type BackOff, backOffMs } from '../back-off.ts'
import { isCurrentKnown, type Ring, withContest, withMove, withUnseen } from '../keys/key-ring.ts'
import { afterWrite, CONTEST_WINDOW_MS } from './contest.ts'
import { decide } from './decide.ts'
import { also, announce, conclude, enter, log, measureKey, noteLook } from './news.ts'
import { isKeyHidden, type Observed } from './observation.ts'
import type { Settled, Write } from './registration.ts'
import type {
  Attempt,
  Decision,
  DomainState,
  Effect,
  Event,
  Fault,
  Goal,
  Outcome,
  Present,
  Task,
} from './state.ts'
import { explain, explainContest, strangeUrl } from './step-texts.ts'

/** When to look after a write or a race; the last one repeats. Changes may take minutes to show. */
const LOOKS_AFTER_WRITE_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Until a key in force is known callbacks are refused: hurry. Later nothing is lost by waiting. */
const RETRY_UNKNOWN: BackOff = { firstMs: 250, maxMs: 5_000 }
const RETRY_KNOWN: BackOff = { firstMs: 250, maxMs: 60_000 }
/** Replicas that reconcile drift apart by up to this share of the interval. */
const INTERVAL_JITTER = 0.1
/** A flood of bad signatures costs at most one Describe per domain in this time. */
const ASKED_LOOK_INTERVAL_MS = 30_000
const AWAITED = 'written; waiting until the provider shows it'
/** Ours is there, and has not yet stood for the window. */
const CONTESTED_LATELY =
  'somebody else kept overwriting this registration; ours is there again, and has to stand for an hour'

/** What comes of an event. One that answers a task brings exactly one task more. */
export function next(state: DomainState, event: Event, now: Present): Outcome {
  switch (event.kind) {
    case 'asked':
      return ask(state, now)
    case 'rotate':
      return { state: { ...state, rotateFrom: 'any' }, effects: [] }
    case 'release_changed':
      return wantLook(state)
    case 'failed':
      return afterFailure(state, event.fault, now)
    default:
      return answered(state, event, now)
  }
}

type Answer = Exclude<Event, { kind: 'asked' | 'rotate' | 'release_changed' | 'failed' }>

function answered(state: DomainState, event: Answer, now: Present): Outcome {
  const { phase } = state
  const at = `${phase.kind} ${event.kind}` as const
  if (at === 'resting started') return also(measureKey(now.ring), begin(state))
  if (at === 'resting due') return begin(state)
  if (at === 'reading ring_read') return pursue(state, { kind: 'describe' }, now)
  if (phase.kind === 'describing' && event.kind === 'looked') {
    return afterLook(state, event.observed, now)
  }
  if (phase.kind === 'saving' && event.kind === 'saved') return reach(state, phase.goal, now)
  if (phase.kind === 'saving' && event.kind === 'outrun') return pursue(state, phase.goal, now)
  if (at === 'writing written') return afterWritten(state, now)
  throw new TypeError(`no ${event.kind} while ${phase.kind}`)
}

/** A callback asks for a look, since no accepted key verifies it. */
function ask(state: DomainState, { elapsed }: Present): Outcome {
  if (state.isWanted || elapsed - state.askedAt < ASKED_LOOK_INTERVAL_MS) {
    return { state, effects: [] }
  }
  // Also while a look is under way: it may have asked the provider before the key was set.
  return wantLook({ ...state, askedAt: elapsed })
}

function wantLook(state: DomainState): Outcome {
  const effects: Effect[] = state.phase.kind === 'resting' ? [{ kind: 'wake' }] : []
  return { state: { ...state, isWanted: true }, effects }
}

function begin(state: DomainState): Outcome {
  const phase = { kind: 'reading' } as const
  return {
    state: { ...state, phase, isWanted: false, look: state.look + 1 },
    effects: [{ kind: 'look_begins' }, { kind: 'read_ring' }],
  }
}

/** Ends a look: the next one comes after `ms`, or at once if it is wanted. */
function rest({ state, effects }: Outcome, ms: number): Outcome {
  const ended: Effect[] = [...effects, { kind: 'look_ends' }]
  if (state.isWanted) return also(ended, begin(state))
  return carryOn(state, { kind: 'resting' }, ended, { kind: 'wake_in', ms })
}

function carryOn(
  state: DomainState,
  phase: DomainState['phase'],
  effects: readonly Effect[],
  task: Task,
): Outcome {
  return { state: { ...state, phase }, effects: [...effects, task] }
}

/** Ends a look that went well. */
function restWell({ state, effects }: Outcome, ms: number): Outcome {
  return rest(also(effects, noteLook({ ...state, isBlind: false }, null)), ms)
}

/** Saves what is to be said in the ring and then goes on; if that changes meanwhile, once more. */
function pursue(state: DomainState, aim: Aim, now: Present): Outcome {
  const { goal, ring } = prepare(state, aim, now)
  if (ring === now.ring) return reach(state, goal, now)
  const save = { kind: 'save_ring', from: now.ring, to: ring } as const
  return carryOn(state, { kind: 'saving', goal }, [], save)
}

type Aim = Exclude<Goal, { kind: 'act' }> | { readonly kind: 'act'; readonly observed: Observed }

function prepare(state: DomainState, aim: Aim, now: Present): { goal: Goal; ring: Ring } {
  const { ring } = now
  switch (aim.kind) {
    case 'describe':
      return { goal: aim, ring: withMove(ring, state.settings.secrets[0].fingerprint, null) }
    case 'act': {
      const { observed } = aim
      const decided = decide(state, observed, now)
      return { goal: { kind: 'act', observed, decision: decided.decision }, ring: decided.ring }
    }
    case 'await':
      return { goal: aim, ring: withContest(ring, afterWrite(ring.contest, now.now)) }
    case 'give_up':
      return { goal: aim, ring: withUnseen(ring, null) }
  }
}

function reach(state: DomainState, goal: Goal, now: Present): Outcome {
  switch (goal.kind) {
    case 'describe':
      if (now.ring.released) return settle(state, { kind: 'released' }, now)
      return carryOn(state, { kind: 'describing' }, [], { kind: 'describe' })
    case 'act':
      return act(state, goal.decision, goal.observed, now)
    case 'await': {
      const written = { ...state, looksAfterWrite: 0 }
      return restUntilSeen(enter(written, 'pending', AWAITED))
    }
    case 'give_up':
      return meet(state, goal.fault, now)
  }
}

function afterLook(before: DomainState, observed: Observed, now: Present): Outcome {
  const state = { ...before, isBlind: false, lookedAt: now.now }
  const isHidden = isKeyHidden(observed)
  return also([{ kind: 'key_hidden', isHidden }], pursue(state, { kind: 'act', observed }, now))
}

function act(state: DomainState, decision: Decision, observed: Observed, now: Present): Outcome {
  switch (decision.kind) {
    case 'confirm':
      return confirm(state, decision, now)
    case 'wait':
      return restUntilSeen(enter(state, 'pending', AWAITED))
    case 'hold':
      return hold(state, decision.step)
    case 'write':
      return write(state, decision, observed, now)
    case 'settle':
      return settle(state, decision.step, now)
  }
}

function confirm(
  before: DomainState,
  { attempt: { step }, isNews }: Extract<Decision, { kind: 'confirm' }>,
  now: Present,
): Outcome {
  const { kind } = step
  const rotateFrom = isNews && kind === 'rotate' ? null : before.rotateFrom
  const state = { ...before, attempt: null, keySeen: step.write, rotateFrom }
  const effects: Effect[] = [
    ...(isNews ? [{ kind: 'changed', change: kind } as const] : []),
    log(state, 'info', 'registered', { url: state.settings.url, change: kind }),
  ]
  // A repair kept the key that was asked to go: that is the next step.
  if (rotateFrom !== null)
    return restUntilSeen({ state: { ...state, looksAfterWrite: 0 }, effects })
  // The line above says it all.
  const registered = { ...state, state: 'in_sync', detail: null } as const
  const shown = { kind: 'in_sync', shown: step.write, problem: null } as const
  return also(effects, isContested(now) ? holdLately(state) : settle(registered, shown, now))
}

function settle(state: DomainState, step: Settled, now: Present): Outcome {
  if ('shown' in step && isContested(now)) return holdLately(state)
  return restWell(conclude(state, step, now), intervalMs(state, now))
}

/** Whether ours has not yet stood for long enough after somebody kept overwriting it. */
function isContested({ ring }: Present): boolean {
  return ring.contest.heldAt !== null
}

function holdLately(before: DomainState): Outcome {
  const state = { ...before, attempt: null, foundUrl: null }
  return restWell(enter(state, 'contested', CONTESTED_LATELY), CONTEST_WINDOW_MS)
}

function hold(before: DomainState, step: Write): Outcome {
  const attempt = before.attempt?.answer === 'accepted' ? null : before.attempt
  const state = { ...before, attempt, foundUrl: strangeUrl(step, before.settings) }
  const detail = explainContest(step, state.settings)
  return restWell(enter(state, 'contested', detail), CONTEST_WINDOW_MS)
}

function write(
  before: DomainState,
  { step, registration, isRetry, wasOurs }: Extract<Decision, { kind: 'write' }>,
  observed: Observed,
  now: Present,
): Outcome {
  const wasRefused = isRetry && before.attempt?.refusedIn === before.look - 1
  const answer = isRetry && before.attempt?.answer === 'lost' ? 'lost' : 'none'
  const attempt: Attempt = {
    step,
    registration,
    before: observed,
    answer,
    at: now.elapsed,
    refusedIn: null,
  }
  // The answer may be lost: then it is this key that must not be rotated from once more.
  const isAny = step.kind === 'rotate' && before.rotateFrom === 'any'
  const rotateFrom = isAny ? (step.shown ?? 'any') : before.rotateFrom
  const foundUrl = strangeUrl(step, before.settings)
  const state: DomainState = { ...before, attempt, rotateFrom, foundUrl }
  // Reported at once, since the write may keep failing. During a rotation the old key still works,
  // and a write that was refused before has its state.
  const isWell = wasRefused || (step.kind === 'rotate' && state.state === 'in_sync')
  const seen = isWell ? { state, effects: [] } : enter(state, 'pending', explain(step))
  const effects = isRetry ? seen.effects : [announce(state, step, wasOurs), ...seen.effects]
  const operation = step.kind === 'create' ? 'add' : 'update'
  const task = { kind: 'write', operation, registration, before: observed } as const
  return carryOn(seen.state, { kind: 'writing' }, effects, task)
}

function afterWritten(state: DomainState, now: Present): Outcome {
  const { step, ...attempt } = attemptOf(state)
  const accepted = { ...attempt, step, answer: 'accepted', at: now.elapsed } as const
  const rotateFrom = step.kind === 'rotate' ? null : state.rotateFrom
  const made = pursue({ ...state, attempt: accepted, rotateFrom }, { kind: 'await' }, now)
  return also([{ kind: 'changed', change: step.kind }], made)
}

/** While a write is made there is one. */
function attemptOf({ attempt }: DomainState): Attempt {
  return attempt as Attempt
}

function afterFailure(state: DomainState, fault: Fault, now: Present): Outcome {
  const { phase } = state
  if (phase.kind === 'resting') throw new TypeError('nothing fails while resting')
  if (phase.kind === 'writing') return afterFailedWrite(state, fault, now)
  const isSeen = phase.kind === 'saving' && SEEN.has(phase.goal.kind)
  return meet({ ...state, isBlind: !isSeen }, fault, now)
}

/** What follows a write: the key in force was accepted before. */
const SEEN: ReadonlySet<Goal['kind']> = new Set<Goal['kind']>(['await', 'give_up'])

function afterFailedWrite(before: DomainState, fault: Fault, now: Present): Outcome {
  const attempt = attemptOf(before)
  const isLost = fault.mayHaveTakenEffect || attempt.answer === 'lost'
  const refusedIn = fault.mayHaveTakenEffect ? null : before.look
  const answer = isLost ? 'lost' : 'none'
  const state: DomainState = { ...before, attempt: { ...attempt, answer, refusedIn } }
  return isLost ? meet(state, fault, now) : pursue(state, { kind: 'give_up', fault }, now)
}

/** Ends a look that failed. */
function meet(state: DomainState, fault: Fault, now: Present): Outcome {
  switch (fault.kind) {
    case 'race': {
      const noted = noteLook(state, null)
      const raced = log(state, 'debug', 'somebody else wrote at the same moment, looking again')
      return restUntilSeen({ state: noted.state, effects: [...noted.effects, raced] })
    }
    case 'lasting': {
      const stopped = { ...state, failures: 0, lookProblem: null }
      return rest(enter(stopped, 'failed', fault.problem), intervalMs(state, now))
    }
    case 'passing': {
      const failures = state.failures + 1
      const isUsable = isCurrentKnown(now.ring, state.settings.secrets)
      const ms = backOffMs(isUsable ? RETRY_KNOWN : RETRY_UNKNOWN, failures, now.random)
      return rest(noteLook({ ...state, failures }, fault.problem), ms)
    }
  }
}

/** Ends a look that follows a write or a race: the more there were, the longer the pause. */
function restUntilSeen({ state, effects }: Outcome): Outcome {
  const looks = state.looksAfterWrite
  const ms = LOOKS_AFTER_WRITE_MS[looks] ?? LOOKS_AFTER_WRITE_MS.at(-1)
  return restWell({ state: { ...state, looksAfterWrite: looks + 1 }, effects }, ms as number)
}

function intervalMs({ settings }: DomainState, { random }: Present): number {
  return settings.intervalMs * (1 + INTERVAL_JITTER * (2 * random - 1))
}
