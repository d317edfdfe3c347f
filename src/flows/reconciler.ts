// One look at one domain and what follows from it: observe -> plan -> apply -> verify. Every look
// starts from what the provider shows, so that a crash at any step leaves nothing to repair.
import { afterDrift, afterOurs, afterWrite, CONTEST_WINDOW_MS, isHeld } from '../core/contest.ts'
import {
  type KeyId,
  type Ring,
  sameKey,
  withConfirmedUrl,
  withCurrent,
  withUse,
} from '../core/key-ring.ts'
import type { KeySearch, Secret } from '../core/notify-key.ts'
import { showUrl } from '../core/notify-url.ts'
import {
  explain,
  formerNotifyUrls,
  isDrift,
  isLag,
  type Observed,
  plan,
  registrationOf,
  type Settled,
  type Situation,
  type Step,
  sameObservation,
  shows,
  type UnseenWrite,
  type Write,
} from '../core/registration.ts'
import type { Clock, LiveApi, Log, Random, RegistrarMetrics } from '../ports.ts'
import { announce } from './announce.ts'
import { AWAITED, createStateEntry, type DomainState } from './domain-state.ts'
import type { RingKeeper } from './ring-keeper.ts'

/** When to look after a write; the last one repeats. Changes may take minutes to show (FACTS 2). */
const LOOKS_AFTER_WRITE_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Replicas rotate up to this share of the age later: then only the first one does. */
const AGE_JITTER = 0.1
/** Replicas that reconcile drift apart by up to this share of the interval. */
const INTERVAL_JITTER = 0.1
const CONTESTED =
  'somebody else keeps overwriting this registration; find the other owner, then it is taken up again within an hour'

export type Reconciler = {
  /** Looks once and acts. Returns the pause before the next look, in ms; rejects with a fault. */
  look(mine: DomainState, signal: AbortSignal): Promise<number>
  /** The pause before a look that follows a write or a race, in ms. */
  nextLookMs(mine: DomainState): number
  intervalMs(): number
  /** Shows in the metrics which key is in force, as far as the store knows. */
  measureKey(domain: string): void
}

export function createReconciler(parts: {
  formerPublicUrls: readonly string[]
  takeover: boolean
  intervalMs: number
  /** Rotate a key that was in force for so long, ms; undefined: never. */
  keyMaxAgeMs: number | undefined
  secrets: readonly [Secret, ...Secret[]]
  search: KeySearch
  rings: RingKeeper
  api: LiveApi
  clock: Clock
  random: Random
  metrics: RegistrarMetrics
  log: Log
}): Reconciler {
  const { formerPublicUrls, takeover, secrets, search, rings, api, clock, metrics, log } = parts
  const enter = createStateEntry(log, metrics)

  async function look(mine: DomainState, signal: AbortSignal): Promise<number> {
    const { domain } = mine
    await rings.refresh(domain)
    if (rings.ring(domain).released) return settle(mine, { kind: 'released' })
    const observed = await api.describe(domain, signal)
    mine.lookedAt = clock.now()
    if (mine.unseen !== null && shows(observed, mine.unseen.registration)) {
      return confirm(mine, mine.unseen)
    }
    if (mine.unseen !== null && isLag(observed, mine.unseen, clock.elapsed())) {
      enter(mine, 'pending', AWAITED)
      return nextLookMs(mine)
    }
    mine.unseen = null
    const situation = situationOf(mine, observed)
    const step = plan(situation)
    const isRetry = isTried(mine, step, observed)
    if (isDrift(step, situation) && (await isContested(mine, isRetry))) {
      if ('write' in step) await rememberFound(mine, step)
      return contested(mine)
    }
    if ('write' in step) {
      if (!isRetry) announce(mine, step, log)
      return apply(mine, step, situation, signal)
    }
    if ('shown' in step) {
      mine.rotateFrom = null
      if (step.shown !== null) await inForce(mine, step.shown)
      if (await isStillContested(mine)) return contested(mine)
    }
    return settle(mine, step)
  }

  function situationOf(mine: DomainState, observed: Observed): Situation {
    const { domain, url } = mine
    const ring = rings.ring(domain)
    const formerUrls = formerNotifyUrls(ring, formerPublicUrls, domain)
    // By age only the key that this store knows: one that is new here has just been rotated to.
    const rotateFrom = mine.rotateFrom ?? (isTooOld(mine, ring) ? ring.current : null)
    return { domain, url, formerUrls, takeover, secrets, search, rotateFrom, ring, observed }
  }

  function isTried({ trying }: DomainState, step: Step, observed: Observed): boolean {
    return (
      trying !== null && trying.kind === step.kind && sameObservation(trying.observed, observed)
    )
  }

  function isTooOld({ ageJitter }: DomainState, { current, keys }: Ring): boolean {
    const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
    if (parts.keyMaxAgeMs === undefined || seenAt === undefined) return false
    return clock.now() - seenAt >= parts.keyMaxAgeMs * (1 + AGE_JITTER * ageJitter)
  }

  /**
   * Notes that somebody else's value was seen, once for all tries to write ours again. Returns
   * whether nothing may be written now.
   */
  async function isContested({ domain }: DomainState, isRetry: boolean): Promise<boolean> {
    if (isRetry) return isHeld(rings.ring(domain).contest, clock.now())
    const { contest } = await rings.change(domain, (ring, { now }) => {
      const after = afterDrift(ring.contest, now)
      return after === ring.contest ? ring : { ...ring, contest: after }
    })
    return isHeld(contest, clock.now())
  }

  /** Notes that our value was seen. Returns whether it has not yet stood for long enough. */
  async function isStillContested({ domain }: DomainState): Promise<boolean> {
    const { contest } = await rings.change(domain, (ring, { now }) => {
      const after = afterOurs(ring.contest, now)
      return after === ring.contest ? ring : { ...ring, contest: after }
    })
    return contest.heldAt !== null
  }

  function contested(mine: DomainState): number {
    enter(mine, 'contested', CONTESTED)
    return CONTEST_WINDOW_MS
  }

  async function apply(
    mine: DomainState,
    step: Write,
    situation: Situation,
    signal: AbortSignal,
  ): Promise<number> {
    const { domain } = mine
    // Before the write: after a crash the provider no longer shows the key that was found.
    await rememberFound(mine, step)
    await rings.refresh(domain)
    if (rings.ring(domain).released) return settle(mine, { kind: 'released' })
    mine.trying = { kind: step.kind, observed: situation.observed }
    // The answer may be lost: then it is this key that must not be rotated from once more.
    if (step.kind === 'rotate' && mine.rotateFrom === 'any') mine.rotateFrom = step.shown ?? 'any'
    const registration = registrationOf(step, situation)
    await (step.kind === 'create' ? api.add : api.update)(domain, registration, signal)
    mine.trying = null
    metrics.changed(domain, step.kind)
    if (step.kind === 'rotate') mine.rotateFrom = null
    await rings.change(domain, (ring, { now }) => {
      const contest = afterWrite(ring.contest, now)
      return contest === ring.contest ? ring : { ...ring, contest }
    })
    mine.unseen = { step, registration, before: situation.observed, at: clock.elapsed() }
    mine.looks = 0
    enter(mine, 'pending', AWAITED)
    return nextLookMs(mine)
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

  async function confirm(mine: DomainState, unseen: UnseenWrite): Promise<number> {
    const { write, kind } = unseen.step
    await inForce(mine, write)
    mine.unseen = null
    mine.keySeen = write
    log.info('registered', { domain: mine.domain, url: mine.url, change: kind })
    // A repair kept the key that was asked to go: that is the next step.
    if (mine.rotateFrom !== null) return nextLookMs(Object.assign(mine, { looks: 0 }))
    if (await isStillContested(mine)) return contested(mine)
    Object.assign(mine, { state: 'in_sync', detail: null })
    return settle(mine, { kind: 'in_sync', shown: write, refused: false })
  }

  /** Remembers that `id` was seen in force under the URL that we want. */
  async function inForce({ domain, url }: DomainState, id: KeyId): Promise<void> {
    const { current, confirmedUrl } = rings.ring(domain)
    if (sameKey(current, id) && confirmedUrl === url) return
    await rings.change(domain, (ring, at) => withConfirmedUrl(withCurrent(ring, id, at), url))
  }

  function measureKey(domain: string): void {
    const { current, keys } = rings.ring(domain)
    const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
    if (current === null || seenAt === undefined) return
    metrics.keyInForce(domain, current.kind === 'foreign' ? -1 : current.generation, seenAt)
  }

  /** Ends a look that needs no write. */
  function settle(mine: DomainState, step: Settled): number {
    const { domain } = mine
    mine.looks = 0
    mine.failures = 0
    mine.trying = null
    mine.foundUrl = step.kind === 'conflict' ? showUrl(step.foundUrl) : null
    switch (step.kind) {
      case 'released':
        enter(mine, 'released', explain(step))
        break
      case 'conflict':
        enter(mine, 'conflict', explain(step))
        break
      case 'adopt':
        metrics.changed(domain, 'adopt')
        log.warn('a notify key that was set elsewhere is adopted', { domain })
        mine.keySeen = step.shown
        measureKey(domain)
        enter(mine, 'in_sync', null)
        break
      case 'in_sync':
        if (step.shown === null && !step.refused && !mine.saidHidden) {
          mine.saidHidden = true
          log.warn('the provider shows no usable notify key; using what this store knows', {
            domain,
          })
        }
        noticeKey(mine)
        measureKey(domain)
        enter(mine, 'in_sync', step.refused ? explain(step) : null)
    }
    return intervalMs()
  }

  /** Tells of a key that a command or another replica has put in force. */
  function noticeKey(mine: DomainState): void {
    const { domain, keySeen } = mine
    const { current } = rings.ring(domain)
    mine.keySeen = current
    if (current === null || keySeen === null || sameKey(current, keySeen)) return
    const generation = current.kind === 'foreign' ? -1 : current.generation
    log.info('another notify key is in force', { domain, generation })
  }

  function nextLookMs(mine: DomainState): number {
    const pauseMs = LOOKS_AFTER_WRITE_MS[mine.looks] ?? LOOKS_AFTER_WRITE_MS.at(-1)
    mine.looks += 1
    return pauseMs as number
  }

  function intervalMs(): number {
    return parts.intervalMs * (1 + INTERVAL_JITTER * (2 * parts.random() - 1))
  }

  return { look, nextLookMs, intervalMs, measureKey }
}
