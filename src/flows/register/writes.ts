// Writes what a plan says: what was found is remembered first, the store knows that a write is on its
// way before it is, and one that is tried again is the same write.
import { withCurrent, withUnseen, withUse } from '../../core/keys/key-ring.ts'
import { isKeyHidden, type Observed, sameObservation } from '../../core/registration/observation.ts'
import {
  registrationOf,
  type Situation,
  type Step,
  type Write,
} from '../../core/registration/registration.ts'
import { shows } from '../../core/registration/unseen-write.ts'
import { mayHaveTakenEffect } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LiveApi } from '../../ports/live-api.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'
import type { RingKeeper } from '../keys/key-rings.ts'
import type { createContests } from './contests.ts'
import type { DomainState, Trying } from './domain-state.ts'

export function createWrites(parts: {
  rings: Pick<RingKeeper, 'change' | 'refresh'>
  contests: Pick<ReturnType<typeof createContests>, 'written'>
  api: LiveApi
  clock: Clock
  metrics: RegistrarMetrics
}) {
  const { rings, contests, api, clock, metrics } = parts

  /** Returns whether it was written: not where the domain was deregistered meanwhile. */
  async function write(
    mine: DomainState,
    step: Write,
    situation: Situation,
    signal: AbortSignal,
  ): Promise<boolean> {
    const { domain } = mine
    // Before the write: after a crash the provider no longer shows the key that was found.
    await rememberFound(mine, step)
    if (!(await begin(domain))) return false
    const registration = registrationOf(step, situation)
    const { observed } = situation
    const isUnanswered = isTried(mine, step, observed) && mine.trying.isUnanswered
    const trying = { step, registration, observed, isUnanswered }
    mine.trying = trying
    // The answer may be lost: then it is this key that must not be rotated from once more.
    if (step.kind === 'rotate' && mine.rotateFrom === 'any') mine.rotateFrom = step.shown ?? 'any'
    try {
      const call = step.kind === 'create' ? api.add : api.update
      await call(domain, registration, signal, () => isStill(situation, signal))
    } catch (error) {
      mine.writeRefused = !mayHaveTakenEffect(error)
      trying.isUnanswered ||= !mine.writeRefused
      if (!trying.isUnanswered) await rings.change(domain, (ring) => withUnseen(ring, null))
      throw error
    }
    await noteMade(mine, step)
    mine.unseen = { step, registration, before: observed, at: clock.elapsed() }
    return true
  }

  function isTried(
    mine: DomainState,
    { kind }: Step,
    observed: Observed,
  ): mine is DomainState & { trying: Trying } {
    const { trying } = mine
    return trying?.step.kind === kind && sameObservation(trying.observed, observed)
  }

  /** Whether a write was made whose answer was lost. A key that is not shown does not tell. */
  function isMade({ isUnanswered, registration }: Trying, observed: Observed): boolean {
    return isUnanswered && !isKeyHidden(observed) && shows(observed, registration)
  }

  async function noteMade(mine: DomainState, { kind }: Write): Promise<void> {
    mine.trying = null
    metrics.changed(mine.domain, kind)
    if (kind === 'rotate') mine.rotateFrom = null
    await contests.written(mine.domain)
  }

  /**
   * Notes that a write begins, in one transaction: whoever deregisters meanwhile either keeps us
   * from it or waits for it. Returns whether it may begin.
   */
  async function begin(domain: string): Promise<boolean> {
    const { released } = await rings.change(domain, (ring, { now }) =>
      ring.released ? ring : withUnseen(ring, now),
    )
    return !released
  }

  /** Whether the provider still shows what a write was planned from, and nobody has deregistered. */
  async function isStill({ domain, observed }: Situation, signal: AbortSignal): Promise<boolean> {
    try {
      await rings.refresh(domain)
      const isSame = sameObservation(await api.describe(domain, signal), observed)
      return isSame && (await begin(domain))
    } catch {
      // The next look meets it again, and tells.
      return false
    }
  }

  /** Accepts the key that was found: pushes sign with it, whether we may write or not. */
  async function rememberFound({ domain }: DomainState, step: Write): Promise<void> {
    const { shown } = step
    if (step.kind === 'replace' && step.joins !== null) {
      const { joins } = step
      await rings.change(domain, (ring, at) => withUse(ring, joins, at))
    } else if (shown !== null) {
      await rings.change(domain, (ring, at) => withCurrent(ring, shown, at))
    }
  }

  return { write, isTried, isMade, noteMade, rememberFound }
}
