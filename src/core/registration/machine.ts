// The registration of one domain as a state machine: state and event in, state and effects out. Pure.
// `docs/registration.md` is its table. A look goes: read the ring, ask the provider, decide, save the
// ring, act. So a crash at any step leaves nothing to repair but the next look.
import { type BackOff, backOffMs } from '../back-off.ts'
import {
  isCurrentKnown,
  type Ring,
  withContest,
  withMove,
  withNothingUnseen,
} from '../keys/key-ring.ts'
import { AWAITED, act, settle } from './act.ts'
import { afterWrite } from './contest.ts'
import { decide } from './decide.ts'
import type { Effect, Event, Fault, Present } from './events.ts'
import { begin, carryOn, intervalMs, rest, restUntilSeen } from './looks.ts'
import { also, enter, log, measureKey, noteLook } from './news.ts'
import { isKeyHidden, type Observed } from './observation.ts'
import type { Attempt, DomainState, Goal, Outcome } from './state.ts'

/** Until a key in force is known callbacks are refused: hurry. Later nothing is lost by waiting. */
const RETRY_UNKNOWN: BackOff = { firstMs: 250, maxMs: 5_000 }
const RETRY_KNOWN: BackOff = { firstMs: 250, maxMs: 60_000 }
/** A flood of bad signatures costs at most one Describe per domain in this time. */
const ASKED_LOOK_INTERVAL_MS = 30_000

/** What comes of an event. One that answers a task brings exactly one task more. */
export function next(state: DomainState, event: Event, now: Present): Outcome {
  switch (event.kind) {
    case 'asked':
      return ask(state, now)
    case 'rotate':
      return { state: { ...state, rotateFrom: 'any' }, effects: [] }
    case 'release_changed':
      return wantLook(state)
    case 'started':
      return start(state, now)
    case 'failed':
      return afterFailure(state, event.fault, now)
    default:
      return answered(state, event, now)
  }
}

type Answer = Exclude<
  Event,
  { kind: 'asked' | 'rotate' | 'release_changed' | 'started' | 'failed' }
>

/** Begins with a look, also after a stop in the middle of one. */
function start(before: DomainState, now: Present): Outcome {
  const { phase } = before
  const attempt =
    phase.kind === 'writing'
      ? ({ ...phase.attempt, answer: 'lost', refusedIn: null } as const)
      : before.attempt
  return also(measureKey(now.ring), begin({ ...before, attempt }))
}

/** What comes of the answer to a task. */
function answered(state: DomainState, event: Answer, now: Present): Outcome {
  const { phase } = state
  switch (phase.kind) {
    case 'resting':
      if (event.kind === 'due') return begin(state)
      break
    case 'reading':
      if (event.kind === 'ring_read') return pursue(state, { kind: 'describe' }, now)
      break
    case 'describing':
      if (event.kind === 'looked') return afterLook(state, event.observed, now)
      break
    case 'saving':
      if (event.kind === 'saved') return reach(state, phase.goal, now)
      if (event.kind === 'outrun') return pursue(state, phase.goal, now)
      break
    case 'writing':
      if (event.kind === 'written') return afterWritten(state, phase.attempt, now)
  }
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

/** Saves what the ring has to hold first, and then goes on; if the ring has changed, once more. */
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
      if (ring.released) return { goal: aim, ring }
      return { goal: aim, ring: withMove(ring, state.settings.secrets[0].fingerprint, null) }
    case 'act': {
      const { observed } = aim
      const decided = decide(state, observed, now)
      return { goal: { kind: 'act', observed, decision: decided.decision }, ring: decided.ring }
    }
    case 'await':
      return { goal: aim, ring: withContest(ring, afterWrite(ring.contest, now.now)) }
    case 'give_up':
      return { goal: aim, ring: withNothingUnseen(ring) }
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

function afterWritten(before: DomainState, tried: Attempt, now: Present): Outcome {
  const { kind } = tried.step
  const at = { at: now.elapsed, atEpoch: now.now }
  const attempt = { ...tried, ...at, answer: 'accepted' } as const
  const rotateFrom = kind === 'rotate' ? null : before.rotateFrom
  const state = { ...before, attempt, rotateFrom, ownUnseenSince: now.ring.unseenSince }
  return also([{ kind: 'changed', change: kind }], pursue(state, { kind: 'await' }, now))
}

function afterFailure(state: DomainState, fault: Fault, now: Present): Outcome {
  const { phase } = state
  if (phase.kind === 'resting') throw new TypeError('nothing fails while resting')
  if (phase.kind === 'writing') return afterFailedWrite(state, phase.attempt, fault, now)
  const isSeen = phase.kind === 'saving' && SEEN.has(phase.goal.kind)
  return meet({ ...state, isBlind: !isSeen }, fault, now)
}

/** What follows a write: the key in force was accepted before. */
const SEEN: ReadonlySet<Goal['kind']> = new Set<Goal['kind']>(['await', 'give_up'])

function afterFailedWrite(
  before: DomainState,
  tried: Attempt,
  fault: Fault,
  now: Present,
): Outcome {
  const isLost = fault.mayHaveTakenEffect || tried.answer === 'lost'
  const refusedIn = fault.mayHaveTakenEffect ? null : before.look
  const attempt = { ...tried, answer: isLost ? 'lost' : 'none', refusedIn } as const
  const state = { ...before, attempt, ownUnseenSince: now.ring.unseenSince }
  return isLost ? meet(state, fault, now) : pursue(state, { kind: 'give_up', fault }, now)
}

/** Ends a look that failed. */
function meet(state: DomainState, fault: Fault, now: Present): Outcome {
  switch (fault.kind) {
    case 'race': {
      const raced = log(state, 'debug', 'somebody else wrote at the same moment, looking again')
      return restUntilSeen({ state, effects: [raced] })
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
