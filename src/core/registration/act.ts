// Does what was decided on: a write, or the end of the look.
import { CONTEST_WINDOW_MS } from './contest.ts'
import type { Effect, Present } from './events.ts'
import { carryOn, intervalMs, restUntilSeen, restWell } from './looks.ts'
import { also, announce, conclude, enter, log, rotateFromAfter } from './news.ts'
import { showNotifyUrl } from './notify-url.ts'
import type { Observed } from './observation.ts'
import type { Settled, Write } from './registration.ts'
import type { Attempt, Decision, DomainState, Outcome } from './state.ts'
import { explain, explainContest, strangeUrl } from './step-texts.ts'

/** While a write of ours is not seen yet. */
export const AWAITED = 'written; waiting until the provider shows it'
/** Ours is there, and has not yet stood for the window. */
const CONTESTED_LATELY =
  'somebody else kept overwriting this registration; ours is there again, and has to stand for an hour'

/** Does what was decided on. */
export function act(
  state: DomainState,
  decision: Decision,
  observed: Observed,
  now: Present,
): Outcome {
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
    log(state, 'info', 'registered', { url: showNotifyUrl(state.settings.url), change: kind }),
  ]
  // A repair kept the key that was asked to go: that is the next step.
  if (rotateFrom !== null) {
    return restUntilSeen({ state: { ...state, looksAfterWrite: 0 }, effects })
  }
  // The line above says it all.
  const registered = { ...state, state: 'in_sync', detail: null } as const
  const shown = { kind: 'in_sync', shown: step.write, problem: null } as const
  return also(effects, isContested(now) ? holdLately(state) : settle(registered, shown, now))
}

/** Ends a look that needs no write. */
export function settle(state: DomainState, step: Settled, now: Present): Outcome {
  if ('shown' in step && isContested(now)) return holdLately(state)
  return restWell(conclude(state, step, now), intervalMs(state, now))
}

/** Whether ours has not yet stood for long enough after somebody kept overwriting it. */
function isContested({ ring }: Present): boolean {
  return ring.contest.heldAt !== null
}

function holdLately(before: DomainState): Outcome {
  const rotateFrom = rotateFromAfter(before)
  const state = { ...before, attempt: null, foundUrl: null, rotateFrom }
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
    atEpoch: now.now,
    refusedIn: null,
  }
  // The answer may be lost: then it is this key that must not be rotated from once more.
  const isAny = step.kind === 'rotate' && before.rotateFrom === 'any'
  const rotateFrom = isAny ? (step.shown ?? 'any') : before.rotateFrom
  const foundUrl = strangeUrl(step, before.settings)
  const state = { ...before, rotateFrom, foundUrl }
  // Reported at once, since the write may keep failing. During a rotation the old key still works,
  // and a write that was refused before has its state.
  const isWell = wasRefused || (step.kind === 'rotate' && state.state === 'in_sync')
  const seen = isWell ? { state, effects: [] } : enter(state, 'pending', explain(step))
  const effects = isRetry ? seen.effects : [announce(state, step, wasOurs), ...seen.effects]
  const operation = step.kind === 'create' ? 'add' : 'update'
  const task = { kind: 'write', operation, registration, before: observed } as const
  return carryOn(seen.state, { kind: 'writing', attempt }, effects, task)
}
