// One look at one domain and what follows from it: observe -> plan -> apply -> verify. Every look
// starts from what the provider shows, so that a crash at any step leaves nothing to repair.

import {
  isTooOld,
  type KeyId,
  type Ring,
  sameKey,
  withConfirmedUrl,
  withCurrent,
  withMove,
  withUnseen,
} from '../../core/keys/key-ring.ts'
import type { KeySearch, Secret } from '../../core/keys/notify-key.ts'
import { CONTEST_WINDOW_MS } from '../../core/registration/contest.ts'
import { isKeyHidden, type Observed } from '../../core/registration/observation.ts'
import {
  formerNotifyUrls,
  isDrift,
  plan,
  type Settled,
  type Situation,
  type Write,
} from '../../core/registration/registration.ts'
import { explain, explainContest, strangeUrl } from '../../core/registration/step-texts.ts'
import { isLag, mayStillShow, shows } from '../../core/registration/unseen-write.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { LiveApi } from '../../ports/live-api.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'
import type { RingKeeper } from '../keys/key-rings.ts'
import { announce } from './announce.ts'
import { createConclusion } from './conclusion.ts'
import { createContests } from './contests.ts'
import { createStateEntry, type DomainState } from './domain-state.ts'
import { createWrites } from './writes.ts'

/** When to look after a write; the last one repeats. Changes may take minutes to show (FACTS 2). */
const LOOKS_AFTER_WRITE_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Replicas rotate up to this share of the age later: then only the first one does. */
const AGE_JITTER = 0.1
/** Replicas that reconcile drift apart by up to this share of the interval. */
const INTERVAL_JITTER = 0.1
const AWAITED = 'written; waiting until the provider shows it'
/** Ours is there, and has not yet stood for the window. */
const CONTESTED_LATELY =
  'somebody else kept overwriting this registration; ours is there again, and has to stand for an hour'

export type Reconciler = {
  /** Looks once and acts. Returns the pause before the next look, in ms; rejects with a fault. */
  look(mine: DomainState, signal: AbortSignal): Promise<number>
  /** The pause before a look that follows a write or a race, in ms. */
  nextLookMs(mine: DomainState): number
  intervalMs(): number
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
  const [{ fingerprint: first }] = secrets
  const enter = createStateEntry(log, metrics)
  const contests = createContests({ rings, clock })
  const writes = createWrites({ rings, contests, api, clock, metrics })
  const conclude = createConclusion({ rings, metrics, log })

  async function look(mine: DomainState, signal: AbortSignal): Promise<number> {
    const { domain, writeRefused } = mine
    mine.writeRefused = false
    await rings.refresh(domain)
    if (rings.ring(domain).released) return settle(mine, { kind: 'released' })
    await rings.change(domain, (ring) => withMove(ring, first, null))
    const observed = await api.describe(domain, signal)
    mine.lookedAt = clock.now()
    rings.noteHidden(domain, isKeyHidden(observed))
    if (mine.unseen !== null && shows(observed, mine.unseen.registration)) {
      return confirm(mine, mine.unseen.step)
    }
    if (mine.trying !== null && writes.isMade(mine.trying, observed)) {
      const { step } = mine.trying
      await writes.noteMade(mine, step)
      return confirm(mine, step)
    }
    if (mine.unseen !== null && isLag(observed, mine.unseen, clock.elapsed())) {
      enter(mine, 'pending', AWAITED)
      return nextLookMs(mine)
    }
    const situation = situationOf(mine, observed)
    const step = plan(situation)
    const isRetry = writes.isTried(mine, step, observed)
    // Before a write is seen, what is seen may be what was there before it, and was counted then.
    const isCounted = isRetry || isOthersUnseen(mine, situation.ring)
    mine.unseen = null
    mine.foundUrl = strangeUrl(step, situation)
    const wasOurs = isDrift(step, situation)
    if (wasOurs && (await contests.drifted(domain, isCounted))) {
      await writes.rememberFound(mine, step)
      return contested(mine, explainContest(step, situation))
    }
    if ('write' in step) {
      if (!isRetry) announce(mine, step, wasOurs, log)
      if (!(isRetry && writeRefused)) seenBroken(mine, step)
      if (!(await writes.write(mine, step, situation, signal))) {
        return settle(mine, { kind: 'released' })
      }
      mine.looks = 0
      enter(mine, 'pending', AWAITED)
      return nextLookMs(mine)
    }
    if ('shown' in step) {
      mine.rotateFrom = null
      if (step.shown !== null) await inForce(mine, step.shown)
      if (await contests.seenOurs(domain)) return contested(mine, CONTESTED_LATELY)
    }
    return settle(mine, step)
  }

  function situationOf(mine: DomainState, observed: Observed): Situation {
    const { domain, url } = mine
    const ring = rings.ring(domain)
    const formerUrls = formerNotifyUrls(ring, formerPublicUrls, domain)
    const { keyMaxAgeMs } = parts
    const maxAgeMs = keyMaxAgeMs && keyMaxAgeMs * (1 + AGE_JITTER * mine.ageJitter)
    // By age only the key that this store knows: one that is new here has just been rotated to.
    const isOld = isTooOld(ring, maxAgeMs, clock.now())
    const rotateFrom = mine.rotateFrom ?? (isOld ? ring.current : null)
    return { domain, url, formerUrls, takeover, secrets, search, rotateFrom, ring, observed }
  }

  /** Whether the ring's unseen write was made by another process: before a restart, or a command. */
  function isOthersUnseen({ unseen, trying }: DomainState, { unseenSince }: Ring): boolean {
    return unseen === null && trying === null && mayStillShow(unseenSince, clock.now())
  }

  /** From the moment it is seen: the write may fail for long. A key that is to go is in force yet. */
  function seenBroken(mine: DomainState, step: Write): void {
    if (step.kind === 'rotate' && mine.state === 'in_sync') return
    enter(mine, 'pending', explain(step))
  }

  function contested(mine: DomainState, detail: string): number {
    enter(mine, 'contested', detail)
    return CONTEST_WINDOW_MS
  }

  async function confirm(mine: DomainState, { write, kind }: Write): Promise<number> {
    await inForce(mine, write)
    mine.unseen = null
    mine.keySeen = write
    log.info('registered', { domain: mine.domain, url: mine.url, change: kind })
    // A repair kept the key that was asked to go: that is the next step.
    if (mine.rotateFrom !== null) return nextLookMs(Object.assign(mine, { looks: 0 }))
    mine.foundUrl = null
    if (await contests.seenOurs(mine.domain)) return contested(mine, CONTESTED_LATELY)
    Object.assign(mine, { state: 'in_sync', detail: null })
    return settle(mine, { kind: 'in_sync', shown: write, problem: null })
  }

  /** Remembers that `id` was seen in force under the URL that we want. */
  async function inForce({ domain, url }: DomainState, id: KeyId): Promise<void> {
    await rings.change(domain, (ring, at) => {
      const isKnown = sameKey(ring.current, id) && ring.confirmedUrl === url
      const seen = isKnown ? ring : withConfirmedUrl(withCurrent(ring, id, at), url)
      return withUnseen(withMove(seen, first, id), null)
    })
  }

  /** Ends a look that needs no write. */
  function settle(mine: DomainState, step: Settled): number {
    conclude(mine, step)
    return intervalMs()
  }

  function nextLookMs(mine: DomainState): number {
    const pauseMs = LOOKS_AFTER_WRITE_MS[mine.looks] ?? LOOKS_AFTER_WRITE_MS.at(-1)
    mine.looks += 1
    return pauseMs as number
  }

  function intervalMs(): number {
    return parts.intervalMs * (1 + INTERVAL_JITTER * (2 * parts.random() - 1))
  }

  return { look, nextLookMs, intervalMs }
}
