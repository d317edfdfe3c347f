// Keeps every domain registered: one loop per domain that looks, waits and looks again; and the look
// that a callback asks for when no key of ours verifies it.
import { backOffMs } from '../../core/back-off.ts'
import { shownGeneration } from '../../core/keys/key-ring.ts'
import { notifyUrl } from '../../core/registration/notify-url.ts'
import { describeError, type FaultCode, faultCode } from '../../errors.ts'
import type { RegistrationView } from '../../ports/views.ts'
import { measureKey } from './conclusion.ts'
import {
  createStateEntry,
  type DomainState,
  detailOf,
  newDomainState,
  noteLook,
} from './domain-state.ts'
import { createReconciler } from './reconciler.ts'

/** While no key in force is known callbacks are refused: hurry. Later nothing is lost by waiting. */
const RETRY_UNKNOWN = { firstMs: 250, maxMs: 5_000 }
const RETRY_KNOWN = { firstMs: 250, maxMs: 60_000 }
/** A flood of bad signatures costs no more than one Describe per domain in this time. */
const ASKED_LOOK_INTERVAL_MS = 30_000

/** Faults that may pass by themselves; any other waits for a person, and for the next interval. */
const PASSING: ReadonlySet<FaultCode | undefined> = new Set<FaultCode>([
  'api_throttled',
  'api_unavailable',
  'api_credentials',
  'store_failed',
  'store_damaged',
  'store_full',
  'store_overloaded',
  'store_slow',
])
/** Somebody else wrote between our look and our write: look again, plan again. */
const RACES: ReadonlySet<FaultCode | undefined> = new Set<FaultCode>([
  'api_config_exists',
  'api_config_not_found',
  'outdated',
])

type Loop = {
  readonly mine: DomainState
  /** Ends with the look that is under way; null between looks. */
  looking: Promise<void> | null
  /** The look that a callback asks for, until it begins: settles when it has ended. */
  asked: PromiseWithResolvers<void> | null
  /** When a callback last asked for a look, on the clock that never jumps. */
  askedAt: number
  /** Ends the pause before the next look. */
  wake: AbortController
}

export type Registrar = {
  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
  /** See `KeySource.look`. */
  look(domain: string): Promise<void> | undefined
  /** Rotates a domain's key at its next look. */
  rotate(domain: string): void
  views(): RegistrationView[]
}

export function createRegistrar(
  parts: Omit<Parameters<typeof createReconciler>[0], 'formerPublicUrls'> & {
    domains: readonly string[]
    /** The one to register, then former ones. */
    publicUrls: readonly [string, ...string[]]
  },
): Registrar {
  const { rings, clock, random, metrics, log } = parts
  const [publicUrl, ...formerPublicUrls] = parts.publicUrls
  const reconciler = createReconciler({ ...parts, formerPublicUrls })
  const enter = createStateEntry(log, metrics)
  const loops = new Map<string, Loop>()
  for (const domain of parts.domains) {
    loops.set(domain, {
      mine: newDomainState(domain, notifyUrl(publicUrl, domain), random()),
      looking: null,
      asked: null,
      askedAt: -Infinity,
      wake: new AbortController(),
    })
  }
  // A command has done it, beside the service: the state is to say so before the next interval.
  rings.onReleased((domain) => loops.get(domain)?.wake.abort())

  async function runLoop(loop: Loop, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const ended = loop.asked ?? Promise.withResolvers<void>()
      loop.asked = null
      loop.looking = ended.promise
      loop.wake = new AbortController()
      const pauseMs = await lookOnce(loop.mine, signal)
      loop.looking = null
      ended.resolve()
      await clock.sleep(pauseMs, AbortSignal.any([signal, loop.wake.signal]))
    }
  }

  /** Returns the pause before the next look, in ms. */
  async function lookOnce(mine: DomainState, signal: AbortSignal): Promise<number> {
    try {
      const pauseMs = await reconciler.look(mine, signal)
      noteLook(mine, null, log)
      return pauseMs
    } catch (error) {
      return afterFault(mine, error, signal)
    }
  }

  /** Returns the pause before the next look, in ms. */
  function afterFault(mine: DomainState, error: unknown, signal: AbortSignal): number {
    if (signal.aborted) return 0
    const { domain } = mine
    const code = faultCode(error)
    if (RACES.has(code)) {
      noteLook(mine, null, log)
      log.debug('somebody else wrote at the same moment, looking again', { domain })
      return reconciler.nextLookMs(mine)
    }
    if (!PASSING.has(code)) {
      mine.failures = 0
      mine.lookProblem = null
      enter(mine, 'failed', describeError(error))
      return reconciler.intervalMs()
    }
    mine.failures += 1
    noteLook(mine, describeError(error), log)
    const retry = rings.accepted(domain).known ? RETRY_KNOWN : RETRY_UNKNOWN
    return backOffMs(retry, mine.failures, random())
  }

  return {
    async run(signal) {
      for (const domain of loops.keys()) measureKey(domain, { rings, metrics })
      await Promise.all([...loops.values()].map((loop) => runLoop(loop, signal)))
    },
    look(domain) {
      const loop = loops.get(domain)
      if (loop === undefined) return undefined
      if (loop.asked !== null) return loop.asked.promise
      const isTooSoon = clock.elapsed() - loop.askedAt < ASKED_LOOK_INTERVAL_MS
      if (isTooSoon) return loop.looking ?? undefined
      // Also where a look is under way: it may have asked the provider before the key was set.
      loop.askedAt = clock.elapsed()
      loop.asked = Promise.withResolvers()
      loop.wake.abort()
      return loop.asked.promise
    },
    rotate(domain) {
      const loop = loops.get(domain)
      if (loop !== undefined) loop.mine.rotateFrom = 'any'
    },
    views: () => [...loops.values()].map(({ mine }) => viewOf(mine)),
  }

  function viewOf(mine: DomainState): RegistrationView {
    const { domain, state, url, foundUrl, lookedAt } = mine
    const { current } = rings.ring(domain)
    return {
      domain,
      state,
      detail: detailOf(mine),
      url,
      foundUrl,
      keyKnown: rings.accepted(domain).known,
      unsigned: rings.unsigned(domain),
      generation: current && shownGeneration(current),
      lastCallbackAt: isoTime(rings.lastCallbackAt(domain)),
      lookedAt: isoTime(lookedAt),
    }
  }
}

function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString()
}
