// How a look begins and ends, and when the next one comes.
import type { Effect, Present, Task } from './events.ts'
import { also, noteLook } from './news.ts'
import type { DomainState, Outcome } from './state.ts'

/** When to look after a write or a race; the last one repeats. Changes may take minutes to show. */
const LOOKS_AFTER_WRITE_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Replicas that reconcile drift apart by up to this share of the interval. */
const INTERVAL_JITTER = 0.1

/** Begins a look. */
export function begin(state: DomainState): Outcome {
  const phase = { kind: 'reading' } as const
  return {
    state: { ...state, phase, isWanted: false, look: state.look + 1 },
    effects: [{ kind: 'look_begins' }, { kind: 'read_ring' }],
  }
}

/** Ends a look: the next one comes after `ms`, or at once if it is wanted. */
export function rest({ state, effects }: Outcome, ms: number): Outcome {
  const ended: Effect[] = [...effects, { kind: 'look_ends' }]
  if (state.isWanted) return also(ended, begin(state))
  return carryOn(state, { kind: 'resting' }, ended, { kind: 'wake_in', ms })
}

/** Goes on with a task. */
export function carryOn(
  state: DomainState,
  phase: DomainState['phase'],
  effects: readonly Effect[],
  task: Task,
): Outcome {
  return { state: { ...state, phase }, effects: [...effects, task] }
}

/** Ends a look that went well. */
export function restWell({ state, effects }: Outcome, ms: number): Outcome {
  return rest(also(effects, noteLook({ ...state, isBlind: false }, null)), ms)
}

/** Ends a look that follows a write or a race: the more there were, the longer the pause. */
export function restUntilSeen({ state, effects }: Outcome): Outcome {
  const looks = state.looksAfterWrite
  const ms = LOOKS_AFTER_WRITE_MS[looks] ?? LOOKS_AFTER_WRITE_MS.at(-1)
  return restWell({ state: { ...state, looksAfterWrite: looks + 1 }, effects }, ms as number)
}

/** The pause between looks that find all well. */
export function intervalMs({ settings }: DomainState, { random }: Present): number {
  return settings.intervalMs * (1 + INTERVAL_JITTER * (2 * random - 1))
}
