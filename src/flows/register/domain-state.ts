// What the registrar remembers of a domain while it runs. A restart costs none of it that matters: of
// a write that no look has shown yet the ring knows that there is one, and since when.
import type { KeyId } from '../../core/keys/key-ring.ts'
import type { Observed } from '../../core/registration/observation.ts'
import type {
  Registration,
  RegistrationState,
  Write,
} from '../../core/registration/registration.ts'
import type { UnseenWrite } from '../../core/registration/unseen-write.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'

export type DomainState = {
  readonly domain: string
  /** The NotifyUrl that we want. */
  readonly url: string
  state: RegistrationState
  /** One sentence on what is wrong or awaited; null where nothing is. */
  detail: string | null
  /** Why the last look failed, where that may pass; null where it did not fail. */
  lookProblem: string | null
  /** The URL that was found at the last look, where it is not the one that we want. */
  foundUrl: string | null
  /** When the provider was last seen, epoch ms. */
  lookedAt: number | null
  /** Looks since the last write or race, to space them. */
  looks: number
  failures: number
  unseen: UnseenWrite | null
  /** The write that is being tried: told and counted once, however often the call fails. */
  trying: Trying | null
  /** Whether the last look ended with a write that was refused: the state says so. */
  writeRefused: boolean
  saidHidden: boolean
  /** The key in force at the last look that needed no write, or after our last write. */
  keySeen: KeyId | null
  /** Asked to rotate, whatever the age of the key: from any, or from the one that was tried first. */
  rotateFrom: KeyId | 'any' | null
  /** From 0 to 1: spreads the rotations of replicas by age. */
  readonly ageJitter: number
}

export type Trying = {
  readonly step: Write
  readonly registration: Registration
  /** What was there before. */
  readonly observed: Observed
  /** Whether a call ended without an answer: it may have taken effect. */
  isUnanswered: boolean
}

export function newDomainState(domain: string, url: string, ageJitter: number): DomainState {
  return {
    domain,
    url,
    state: 'pending',
    detail: null,
    lookProblem: null,
    foundUrl: null,
    lookedAt: null,
    looks: 0,
    failures: 0,
    unseen: null,
    trying: null,
    writeRefused: false,
    saidHidden: false,
    keySeen: null,
    rotateFrom: null,
    ageJitter,
  }
}

/** Makes the function that enters a state: a metric, and one log line where there is news. */
export function createStateEntry(log: Log, metrics: RegistrarMetrics) {
  return (mine: DomainState, state: RegistrationState, detail: string | null): void => {
    const { domain, url } = mine
    const entered = mine.state !== state
    const news = entered || mine.detail !== detail
    mine.state = state
    mine.detail = detail
    metrics.registration(domain, state)
    if (!news) return
    switch (state) {
      case 'pending':
        // What is written, and why, is told before it is written.
        log.debug('registration pending', { domain, detail })
        return
      case 'in_sync':
        if (detail === null) log.info('registration in sync', { domain, url })
        else log.warn('registration has a problem', { domain, detail })
        return
      case 'failed':
        log.error('registration failed', { domain, detail })
        return
      case 'conflict':
      case 'contested':
      case 'released':
        log.warn(`registration ${state}`, { domain, detail })
    }
  }
}

/** Notes how a look went: one line when looks begin to fail, and one when they succeed again. */
export function noteLook(mine: DomainState, problem: string | null, log: Log): void {
  const { domain, lookProblem } = mine
  mine.lookProblem = problem
  if (problem === null) mine.failures = 0
  if (problem === null && lookProblem !== null) log.info('looks succeed again', { domain })
  if (problem !== null && lookProblem === null) {
    log.warn('a look failed; it is tried again', { domain, reason: problem })
  }
}

/** What is wrong or awaited, and what keeps us from looking; null where nothing is. */
export function detailOf({ detail, lookProblem }: DomainState): string | null {
  return [detail ?? [], lookProblem ?? []].flat().join('; ') || null
}
