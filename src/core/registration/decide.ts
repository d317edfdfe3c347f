// What to do about an observation, and the ring that has to be saved before it is done: keys that
// were found, a write that begins, what somebody else has overwritten.
import {
  isTooOld,
  type KeyId,
  type Ring,
  sameKey,
  withConfirmedUrl,
  withContest,
  withCurrent,
  withMove,
  withNothingUnseen,
  withUse,
  withWriteBegun,
} from '../keys/key-ring.ts'
import { afterDrift, afterOurs, afterWrite, isHeld } from './contest.ts'
import type { Present } from './events.ts'
import { isKeyHidden, type Observed, sameObservation } from './observation.ts'
import {
  formerNotifyUrls,
  isDrift,
  plan,
  registrationOf,
  type Settled,
  type Situation,
  type Write,
} from './registration.ts'
import type { Attempt, Decision, DomainState } from './state.ts'
import { isLag, mayStillShow, shows } from './unseen-write.ts'

export type Decided = { readonly decision: Decision; readonly ring: Ring }

/** Decides what to do about what is observed now. */
export function decide(state: DomainState, observed: Observed, present: Present): Decided {
  const { attempt } = state
  const now = { ...present, ring: withWriteNoted(present.ring, attempt) }
  if (attempt !== null && isSeen(attempt, observed)) return confirm(state, attempt, now)
  if (attempt?.answer === 'accepted' && isLag(observed, attempt, now.elapsed)) {
    return { decision: { kind: 'wait' }, ring: present.ring }
  }
  const situation = situationOf(state, observed, now)
  const step = plan(situation)
  if ('write' in step) return write(state, step, situation, now)
  return { decision: { kind: 'settle', step }, ring: afterSettled(state, step, now) }
}

/** The ring with a write that was made noted in its contest, should that have failed right after it. */
function withWriteNoted(ring: Ring, attempt: Attempt | null): Ring {
  const { heldAt } = ring.contest
  if (attempt?.answer !== 'accepted' || heldAt === null || heldAt >= attempt.atEpoch) return ring
  return withContest(ring, afterWrite(ring.contest, attempt.atEpoch))
}

/** Whether our write shows. One whose answer was lost proves itself only by its key. */
function isSeen({ answer, registration }: Attempt, observed: Observed): boolean {
  if (answer === 'none' || !shows(observed, registration)) return false
  return answer === 'accepted' || !isKeyHidden(observed)
}

function confirm(state: DomainState, attempt: Attempt, now: Present): Decided {
  const isNews = attempt.answer === 'lost'
  const counted = isNews ? withContest(now.ring, afterWrite(now.ring.contest, now.now)) : now.ring
  const inForce = afterInForce(state, attempt.step.write, counted, now)
  const isRotated = isNews && attempt.step.kind === 'rotate'
  // Else a rotation follows at once, and it is judged after that.
  const isLast = isRotated || state.rotateFrom === null
  const ring = isLast ? withContest(inForce, afterOurs(inForce.contest, now.now)) : inForce
  return { decision: { kind: 'confirm', attempt, isNews }, ring }
}

function situationOf({ settings, rotateFrom }: DomainState, observed: Observed, now: Present) {
  const { domain, url, formerPublicUrls, takeover, secrets, search, keyMaxAgeMs } = settings
  const { ring } = now
  const formerUrls = formerNotifyUrls(ring, formerPublicUrls, domain)
  // By age only the key that this store knows: one that is new here has just been rotated to.
  const old = isTooOld(ring, keyMaxAgeMs, now.now) ? ring.current : null
  const from = rotateFrom ?? old
  return { domain, url, formerUrls, takeover, secrets, search, rotateFrom: from, ring, observed }
}

function write(state: DomainState, step: Write, situation: Situation, now: Present): Decided {
  const { observed } = situation
  const isRetry = isTried(state.attempt, step, observed)
  const wasOurs = isDrift(step, situation)
  const isCounted = isRetry || isOthersUnseen(state, now)
  const contest = wasOurs && !isCounted ? afterDrift(now.ring.contest, now.now) : now.ring.contest
  // Accepted before it is overwritten, whether we may write or not: pushes sign with it.
  const found = afterFound(step, withContest(now.ring, contest), now)
  if (wasOurs && isHeld(contest, now.now)) return { decision: { kind: 'hold', step }, ring: found }
  const registration = registrationOf(step, situation)
  return {
    decision: { kind: 'write', step, registration, isRetry, wasOurs },
    // Whoever deregisters meanwhile either keeps us from it or waits for it.
    ring: withWriteBegun(found, now.now),
  }
}

/**
 * Whether another process, a command or a life before, made a write that is not seen yet: until then
 * the provider may still show the old value, which was counted already.
 */
function isOthersUnseen({ attempt, ownUnseenSince }: DomainState, { ring, now }: Present): boolean {
  const { unseenSince } = ring
  return attempt === null && unseenSince !== ownUnseenSince && mayStillShow(unseenSince, now)
}

/** Whether the same was tried before, and what is there is still what was there then. */
function isTried(attempt: Attempt | null, { kind }: Write, observed: Observed): boolean {
  if (attempt === null || attempt.answer === 'accepted') return false
  return attempt.step.kind === kind && sameObservation(attempt.before, observed)
}

function afterFound(step: Write, ring: Ring, now: Present): Ring {
  if (step.kind === 'replace') return step.joins === null ? ring : withUse(ring, step.joins, now)
  return step.shown === null ? ring : withCurrent(ring, step.shown, now)
}

function afterSettled(state: DomainState, step: Settled, now: Present): Ring {
  if (!('shown' in step)) return now.ring
  const ring = step.shown === null ? now.ring : afterInForce(state, step.shown, now.ring, now)
  return withContest(ring, afterOurs(ring.contest, now.now))
}

/** The ring after `id` was seen in force under the URL that we want. */
function afterInForce({ settings }: DomainState, id: KeyId, ring: Ring, now: Present): Ring {
  const { url, secrets } = settings
  const isKnown = sameKey(ring.current, id) && ring.confirmedUrl === url
  const seen = isKnown ? ring : withConfirmedUrl(withCurrent(ring, id, now), url)
  return withNothingUnseen(withMove(seen, secrets[0].fingerprint, id))
}
