// Keeps every domain registered: one loop per domain that hands each event to the machine of
// `core/registration` and carries out what it asks for. Knows no rule of registration itself.
import { shownGeneration } from '../../core/keys/key-ring.ts'
import type { KeySearch, Secret } from '../../core/keys/notify-key.ts'
import { type Effect, type Event, isTask, type Note } from '../../core/registration/events.ts'
import { next } from '../../core/registration/machine.ts'
import { notifyUrl } from '../../core/registration/notify-url.ts'
import { type DomainState, detailOf, newDomain } from '../../core/registration/state.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { LiveApi } from '../../ports/live-api.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'
import type { RegistrationView } from '../../ports/views.ts'
import type { RingKeeper } from '../keys/key-rings.ts'
import { createCarrier } from './carry-out.ts'

type DomainLoop = {
  readonly domain: string
  state: DomainState
  /** Settles when the look that is under way ends; null between looks. */
  looking: PromiseWithResolvers<void> | null
  /** Settles when the look ends that a callback asked for, and that has not begun. */
  asked: PromiseWithResolvers<void> | null
  /** Ends the pause before the next look. */
  wake: AbortController
}

export type Registrar = {
  /** Runs until `signal` aborts, in the middle of a look if need be. May run again after that. */
  run(signal: AbortSignal): Promise<void>
  /** See `KeySource.look`. */
  look(domain: string): Promise<void> | undefined
  /** See `KeySource.isUnsure`. */
  isUnsure(domain: string): boolean
  /** Rotates a domain's key at its next look. */
  rotate(domain: string): void
  views(): RegistrationView[]
}

export function createRegistrar(deps: {
  domains: readonly string[]
  /** The one to register, then former ones. */
  publicUrls: readonly [string, ...string[]]
  takeover: boolean
  intervalMs: number
  /** Age after which a key in force is rotated, ms; undefined: never. */
  keyMaxAgeMs: number | undefined
  secrets: readonly [Secret, ...Secret[]]
  search: KeySearch
  rings: RingKeeper
  api: LiveApi
  clock: Clock
  random: Random
  metrics: RegistrarMetrics
  log: Log
  /** See `createCarrier`. */
  mayWrite?(): boolean
}): Registrar {
  const { publicUrls, rings, clock, random } = deps
  const [publicUrl, ...formerPublicUrls] = publicUrls
  const carrier = createCarrier(deps)
  const loops = new Map(deps.domains.map((domain) => [domain, newLoop(domain)]))
  // A command did it, beside the service: the state has to show before the next interval.
  rings.onReleased((domain) => pass(domain, { kind: 'release_changed' }))

  function newLoop(domain: string): DomainLoop {
    const { takeover, intervalMs, keyMaxAgeMs, secrets, search } = deps
    const url = notifyUrl(publicUrl, domain)
    const own = { domain, url, formerPublicUrls, takeover, intervalMs, keyMaxAgeMs }
    const state = newDomain({ ...own, secrets, search }, random())
    return { domain, state, looking: null, asked: null, wake: new AbortController() }
  }

  /** Hands an event to the machine. Returns the effects. */
  function step(loop: DomainLoop, event: Event): readonly Effect[] {
    const ring = rings.ring(loop.domain)
    const now = { ...rings.moment(), elapsed: clock.elapsed(), random: random(), ring }
    const { state, effects } = next(loop.state, event, now)
    loop.state = state
    return effects
  }

  /** Passes an event to a domain between its tasks; what comes of it are notes, over at once. */
  function pass(domain: string, event: Event): DomainLoop | undefined {
    const loop = loops.get(domain)
    if (loop !== undefined) for (const effect of step(loop, event)) note(loop, effect as Note)
    return loop
  }

  function note(loop: DomainLoop, effect: Note): void {
    switch (effect.kind) {
      case 'look_begins':
        loop.looking = loop.asked ?? Promise.withResolvers()
        loop.asked = null
        return
      case 'look_ends':
        loop.looking?.resolve()
        loop.looking = null
        return
      case 'wake':
        loop.wake.abort()
        return
      default:
        carrier.report(loop.domain, effect)
    }
  }

  async function runLoop(loop: DomainLoop, signal: AbortSignal): Promise<void> {
    let event: Event = { kind: 'started' }
    try {
      // That a write was made is noted in the end, too; nothing else is begun.
      while (!signal.aborted || event.kind === 'written') event = await turn(loop, event, signal)
    } finally {
      loop.looking?.resolve()
      loop.asked?.resolve()
      loop.looking = null
      loop.asked = null
    }
  }

  /** Carries out what an event brings. Resolves with the event that answers it. */
  async function turn(loop: DomainLoop, event: Event, signal: AbortSignal): Promise<Event> {
    for (const effect of step(loop, event)) {
      if (!isTask(effect)) {
        note(loop, effect)
        continue
      }
      loop.wake = new AbortController()
      return carrier.task(loop.domain, effect, signal, loop.wake.signal)
    }
    throw new TypeError(`no task after ${event.kind}`)
  }

  return {
    async run(signal) {
      await Promise.all([...loops.values()].map((loop) => runLoop(loop, signal)))
    },
    look(domain) {
      const loop = pass(domain, { kind: 'asked' })
      if (!loop?.state.isWanted) return loop?.looking?.promise
      loop.asked ??= Promise.withResolvers()
      return loop.asked.promise
    },
    isUnsure: (domain) => loops.get(domain)?.state.isBlind ?? false,
    rotate(domain) {
      pass(domain, { kind: 'rotate' })
    },
    views: () => [...loops.values()].map(viewOf),
  }

  function viewOf({ domain, state: mine }: DomainLoop): RegistrationView {
    const { current } = rings.ring(domain)
    return {
      domain,
      state: mine.state,
      detail: detailOf(mine),
      url: mine.settings.url,
      foundUrl: mine.foundUrl,
      keyKnown: rings.accepted(domain).known,
      unsigned: rings.unsigned(domain),
      generation: current && shownGeneration(current),
      lastCallbackAt: isoTime(rings.lastCallbackAt(domain)),
      lookedAt: isoTime(mine.lookedAt),
    }
  }
}

function isoTime(epochMs: number | null): string | null {
  return epochMs === null ? null : new Date(epochMs).toISOString()
}
