// One look at one domain and what follows from it: observe -> plan -> apply -> verify. Every look
// starts from what the provider shows, so that a crash at any step leaves nothing to repair.
import {
  type KeyId,
  type Ring,
  sameKey,
  withConfirmedUrl,
  withCurrent,
  withUse,
} from '../core/key-ring.ts'
import type { KeySearch, Secret } from '../core/notify-key.ts'
import { notifyUrl } from '../core/notify-url.ts'
import {
  explain,
  isLag,
  type Observed,
  plan,
  registrationOf,
  type Settled,
  type Situation,
  shows,
  type UnseenWrite,
  type Write,
} from '../core/registration.ts'
import type { Clock, LiveApi, Log, Random, RegistrarMetrics } from '../ports.ts'
import { AWAITED, createStateEntry, type DomainState } from './domain-state.ts'
import type { RingKeeper } from './ring-keeper.ts'

/** When to look after a write; the last one repeats. Changes may take minutes to show (FACTS 2). */
const LOOKS_AFTER_WRITE_MS = [0, 1_000, 2_000, 5_000, 10_000, 30_000] as const
/** Replicas that reconcile drift apart by up to this share of the interval. */
const INTERVAL_JITTER = 0.1

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
    if (mine.unseen !== null && isLag(observed, mine.unseen, clock.now())) {
      enter(mine, 'pending', AWAITED)
      return nextLookMs(mine)
    }
    mine.unseen = null
    const situation = situationOf(mine, observed)
    const step = plan(situation)
    if ('write' in step) return apply(mine, step, situation, signal)
    if ('shown' in step && step.shown !== null) await inForce(mine, step.shown)
    return settle(mine, step)
  }

  function situationOf({ domain, url }: DomainState, observed: Observed): Situation {
    const ring = rings.ring(domain)
    const configured = formerPublicUrls.map((former) => notifyUrl(former, domain))
    const remembered = [ring.confirmedUrl ?? [], ...ring.formerUrls].flat()
    const formerUrls = [...configured, ...remembered]
    return { domain, url, formerUrls, takeover, secrets, search, ring, observed }
  }

  async function apply(
    mine: DomainState,
    step: Write,
    situation: Situation,
    signal: AbortSignal,
  ): Promise<number> {
    const { domain } = mine
    // Before the write: after a crash the provider no longer shows the key that was found.
    if (step.kind === 'replace' && step.joins !== null) {
      const { joins } = step
      await rings.change(domain, (ring, at) => withUse(ring, joins, at))
    } else if (step.shown !== null) {
      const { shown } = step
      await rings.change(domain, (ring, at) => withCurrent(ring, shown, at))
    }
    announce(mine, step)
    const registration = registrationOf(step, situation)
    await (step.kind === 'create' ? api.add : api.update)(domain, registration, signal)
    metrics.changed(domain, step.kind)
    mine.unseen = { step, registration, before: situation.observed, at: clock.now() }
    mine.looks = 0
    enter(mine, 'pending', AWAITED)
    return nextLookMs(mine)
  }

  function announce({ domain, url, state }: DomainState, step: Write): void {
    switch (step.kind) {
      case 'create':
        if (state === 'in_sync') log.warn('registration is gone, creating it again', { domain })
        else log.info('nothing registered, creating it', { domain, url })
        return
      case 'rotate':
        log.info('rotating to a key of the first secret', { domain })
        return
      case 'repair':
        log.warn('repairing the registration', {
          domain,
          reason: step.reason,
          found: step.foundUrl,
        })
        return
      case 'replace':
        log.warn('taking over from another URL', { domain, found: step.foundUrl })
    }
  }

  async function confirm(mine: DomainState, unseen: UnseenWrite): Promise<number> {
    const { write, kind } = unseen.step
    await inForce(mine, write)
    mine.unseen = null
    log.info('registered', { domain: mine.domain, url: mine.url, change: kind })
    Object.assign(mine, { state: 'in_sync', detail: null })
    return settle(mine, { kind: 'in_sync', shown: write })
  }

  /** Remembers that `id` was seen in force under the URL that we want. */
  async function inForce({ domain, url }: DomainState, id: KeyId): Promise<void> {
    const { current, confirmedUrl } = rings.ring(domain)
    if (sameKey(current, id) && confirmedUrl === url) return
    await rings.change(domain, (ring, at) => withConfirmedUrl(withCurrent(ring, id, at), url))
  }

  function measureKey(domain: string, { current, keys }: Ring): void {
    const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
    if (current === null || seenAt === undefined) return
    metrics.keyInForce(domain, current.kind === 'foreign' ? -1 : current.generation, seenAt)
  }

  /** Ends a look that needs no write. */
  function settle(mine: DomainState, step: Settled): number {
    const { domain } = mine
    mine.looks = 0
    mine.failures = 0
    mine.foundUrl = step.kind === 'conflict' ? step.foundUrl : null
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
        measureKey(domain, rings.ring(domain))
        enter(mine, 'in_sync', null)
        break
      case 'in_sync':
        if (step.shown === null && !mine.saidHidden) {
          mine.saidHidden = true
          log.warn('the provider shows no usable notify key; using what this store knows', {
            domain,
          })
        }
        measureKey(domain, rings.ring(domain))
        enter(mine, 'in_sync', null)
    }
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
