// What the registration of one domain hears of, and what it asks for: the events and effects of
// `machine.ts`. No I/O here: `flows/register` carries the effects out.
import type { Moment, Ring } from '../keys/key-ring.ts'
import type { Observed } from './observation.ts'
import type { Registration, RegistrationChange, RegistrationState } from './registration.ts'

/** What holds at the moment of an event: the clocks, chance, and the ring as the store last had it. */
export type Present = Moment & {
  /** Milliseconds on a clock that never jumps. */
  readonly elapsed: number
  /** From 0 up to 1. */
  readonly random: number
  readonly ring: Ring
}

export type Fault = {
  /** `passing`: tried again soon. `race`: somebody else wrote. `lasting`: needs a person. */
  readonly kind: 'passing' | 'race' | 'lasting'
  /** One sentence, without secrets. */
  readonly problem: string
  /** Whether a write that ended with it may have taken effect, now or later, all the same. */
  readonly mayHaveTakenEffect: boolean
}

export type Event =
  /** The first of all; and again after a stop, whatever was under way. */
  | { readonly kind: 'started' }
  /** A pause is over. */
  | { readonly kind: 'due' }
  /** Answers to effects, in the order of a look. */
  | { readonly kind: 'ring_read' }
  | { readonly kind: 'looked'; readonly observed: Observed }
  | { readonly kind: 'saved' }
  /** The ring was changed elsewhere, so that ours was not saved. */
  | { readonly kind: 'outrun' }
  | { readonly kind: 'written' }
  | { readonly kind: 'failed'; readonly fault: Fault }
  /** At any time: a callback that no key verifies, */
  | { readonly kind: 'asked' }
  /** a command, */
  | { readonly kind: 'rotate' }
  /** and a domain that was released, or taken up again, by whomever. */
  | { readonly kind: 'release_changed' }

export type LogEffect = {
  readonly kind: 'log'
  readonly level: 'debug' | 'info' | 'warn' | 'error'
  readonly message: string
  readonly fields: Readonly<Record<string, unknown>>
}

/** What is logged, measured or noted at once. */
export type Report =
  | LogEffect
  | { readonly kind: 'state'; readonly state: RegistrationState }
  | { readonly kind: 'changed'; readonly change: RegistrationChange }
  | { readonly kind: 'key_in_force'; readonly generation: number; readonly seenAt: number }
  /** Whether the provider shows the key in force: if not, only callbacks prove which one it is. */
  | { readonly kind: 'key_hidden'; readonly isHidden: boolean }

/** What is over at once. */
export type Note =
  | Report
  | { readonly kind: 'look_begins' }
  | { readonly kind: 'look_ends' }
  /** Ends a pause. */
  | { readonly kind: 'wake' }

/** What takes time, and is answered by an event. Never two at once. */
export type Task =
  | { readonly kind: 'read_ring' }
  | { readonly kind: 'describe' }
  /** Only if the ring is still `from`. */
  | { readonly kind: 'save_ring'; readonly from: Ring; readonly to: Ring }
  | {
      readonly kind: 'write'
      readonly operation: 'add' | 'update'
      readonly registration: Registration
      /** What it was decided on. */
      readonly before: Observed
    }
  | { readonly kind: 'wake_in'; readonly ms: number }

/** What the world is asked for, in order: notes, and a task at the end of all but events by themselves. */
export type Effect = Note | Task

const TASKS: ReadonlySet<Effect['kind']> = new Set<Effect['kind']>([
  'read_ring',
  'describe',
  'save_ring',
  'write',
  'wake_in',
])

export function isTask(effect: Effect): effect is Task {
  return TASKS.has(effect.kind)
}
