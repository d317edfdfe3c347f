// The steps of a plan in one sentence each, for people. They name URLs, never keys.
import { sameUrl, showUrl } from './notify-url.ts'
import type {
  KeyProblem,
  RepairReason,
  RotateReason,
  Situation,
  Step,
  Write,
} from './registration.ts'

/** The URL that was found where it is not the one that we want, as it may be shown; else null. */
export function strangeUrl(step: Step, { url }: Pick<Situation, 'url'>): string | null {
  return 'foundUrl' in step && !sameUrl(step.foundUrl, url) ? showUrl(step.foundUrl) : null
}

/** Why a step is taken, in one sentence for people; it names URLs, never keys. */
export function explain(step: Step): string {
  switch (step.kind) {
    case 'released':
      return 'deregistered on purpose; register takes it up again'
    case 'conflict':
      return `callbacks go to ${showUrl(step.foundUrl)}; set SNAPHOOK_ON_CONFLICT=takeover to replace it`
    case 'in_sync':
      if (step.problem !== null) return `registered, with a key ${KEY_PROBLEMS[step.problem]}`
      return step.shown === null ? 'registered; the key is not visible' : 'registered'
    case 'adopt':
      return 'registered with a key that was set elsewhere; it is accepted as it is'
    case 'create':
      return 'nothing is registered'
    case 'rotate':
      return ROTATIONS[step.reason]
    case 'repair':
      return REPAIRS[step.reason]
    case 'replace':
      return `callbacks go to ${showUrl(step.foundUrl)}, and takeover is on`
  }
}

/** What was found where a registration is contested, so that `step` is not taken, and what to do. */
export function explainContest(step: Write, situation: Pick<Situation, 'url'>): string {
  const url = strangeUrl(step, situation)
  const found = url === null ? explain(step) : `callbacks go to ${url}`
  return `somebody else keeps overwriting this registration (${found}); find the other owner, then it is taken up again within an hour`
}

const KEY_PROBLEMS: Readonly<Record<KeyProblem, string>> = {
  too_simple: 'that is too simple to be accepted: rotate it',
  not_of_first_secret:
    'of another secret than the first, which was put back: a replica has SNAPHOOK_SECRET in another order; give all the same, then rotate',
}

const ROTATIONS: Readonly<Record<RotateReason, string>> = {
  older_secret: 'the key in force is of an older secret',
  due: 'the key in force is too old, or was asked to go',
}

const REPAIRS: Readonly<Record<RepairReason, string>> = {
  auth_off: 'authentication is switched off',
  former_url: 'a former URL is registered',
  never_confirmed: 'the key is not visible, and this store does not know it',
}
