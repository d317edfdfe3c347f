// Holds the rings of all domains in memory, in step with the store: what a callback is verified
// against, and the one way to change a ring. Also keeps the receiving time, and notes what came in:
// uses of keys, unsigned callbacks, the time of the last callback.
import {
  type AcceptedKey,
  acceptedKeys,
  EMPTY_RING,
  type KeyId,
  keysBeyond,
  keyText,
  type Moment,
  type Ring,
  withoutRetired,
  withProven,
  withUse,
} from '../core/key-ring.ts'
import type { Secret } from '../core/notify-key.ts'
import { notifyUrl, pathPrefix } from '../core/notify-url.ts'
import { signedHosts } from '../core/signature.ts'
import type { Clock, Log, ReceivingTime, RingMetrics, RingStore, Tallies } from '../ports.ts'
import { createTrouble } from './trouble.ts'

/** A command beside the service changes a ring: the service follows within this time. */
const FOLLOW_INTERVAL_MS = 1_000
/** Uses of keys and receiving time are written back this often: disuse is counted in hours. */
const WRITE_BACK_MS = 60_000
/** Unsigned callbacks are told of once: after so long, their count says something. */
const GATHER_UNSIGNED_MS = 5_000

type Entry = {
  ring: Ring
  revision: number
  accepted: readonly AcceptedKey[]
  /** Whether the key in force is known, and can be derived. */
  known: boolean
  hosts: readonly string[]
  prefixes: ReadonlySet<string>
  /** Uses not yet written back: receiving seconds by key. */
  readonly uses: Map<KeyId, number>
  /** When the last callback that verified came, epoch ms. */
  lastCallbackAt: number | null
  unsigned: number
  /** How many of these the store has not been told of. */
  unsignedNew: number
  /** When the first one since the start came, on the clock that never jumps. */
  unsignedSince: number | null
  unsignedSaid: boolean
  /** Whether the provider did not show the key in force at the last look. */
  hidden: boolean
}

export type RingKeeper = ReturnType<typeof createRingKeeper>

export function createRingKeeper(parts: {
  domains: readonly string[]
  /** As configured, the current one first. */
  publicUrls: readonly string[]
  secrets: readonly Secret[]
  store: RingStore & ReceivingTime & Tallies
  /** Seconds of receiving time after which a superseded key goes, unused. */
  graceSeconds: number
  clock: Clock
  metrics: RingMetrics
  log: Log
}) {
  const { domains, publicUrls, secrets, graceSeconds, store, clock, metrics, log } = parts
  const entries = new Map<string, Entry>()
  const configuredPrefixes = ['', ...publicUrls.map((url) => pathPrefix(notifyUrl(url, 'any')))]
  const trouble = createTrouble(log, {
    begun: 'key rings not in step with the store',
    over: 'key rings in step with the store again',
  })
  let released: (domain: string) => void = () => undefined
  let version = -1
  let receivedBefore = 0
  let countedFrom = clock.elapsed()

  const moment = (): Moment => ({
    now: clock.now(),
    receiving: receivedBefore + (clock.elapsed() - countedFrom) / 1000,
  })

  /** Only the configured domains have one: what a request names must not make it grow. */
  function entry(domain: string): Entry {
    const known = entries.get(domain)
    if (known === undefined) throw new TypeError('not a configured domain')
    return known
  }

  function place(domain: string, ring: Ring, revision: number): Entry {
    const urls = [ring.confirmedUrl ?? [], ...ring.formerUrls].flat()
    const placed = {
      ring,
      revision,
      accepted: acceptedKeys(ring, secrets, domain),
      known: ring.current !== null && keyText(ring.current, secrets, domain) !== undefined,
      hosts: [...new Set([...publicUrls, ...urls].flatMap(signedHosts))],
      prefixes: new Set([...configuredPrefixes, ...urls.map(pathPrefix)]),
    }
    const before = entries.get(domain)
    if (before) {
      const isNews = before.ring.released !== ring.released
      Object.assign(before, placed)
      if (isNews) released(domain)
      return before
    }
    const fresh = {
      ...placed,
      uses: new Map<KeyId, number>(),
      lastCallbackAt: null,
      unsigned: 0,
      unsignedNew: 0,
      unsignedSince: null,
      unsignedSaid: false,
      hidden: false,
    }
    entries.set(domain, fresh)
    return fresh
  }

  for (const domain of domains) place(domain, EMPTY_RING, 0)

  /** Reads the domain's ring again. */
  async function refresh(domain: string): Promise<void> {
    const before = entry(domain).revision
    const stored = await store.loadRing(domain)
    // A ring that was saved while this one was read is newer than what was read.
    if (entry(domain).revision !== before || (stored?.revision ?? 0) === before) return
    place(domain, stored?.ring ?? EMPTY_RING, stored?.revision ?? 0)
  }

  /** Changes a ring in one transaction; the change is made again where somebody else was faster. */
  async function change(domain: string, alter: (ring: Ring, at: Moment) => Ring): Promise<Ring> {
    for (;;) {
      const { ring, revision } = entry(domain)
      const altered = alter(ring, moment())
      if (altered === ring) return ring
      const saved = await store.saveRing(domain, altered, revision)
      if (saved !== null) return place(domain, altered, saved).ring
      await refresh(domain)
    }
  }

  async function load(): Promise<void> {
    version = await store.ringsVersion()
    receivedBefore = await store.loadReceivingTime()
    await Promise.all(domains.map(refresh))
    await Promise.all(domains.map(loadTally))
  }

  async function loadTally(domain: string): Promise<void> {
    const { lastCallbackAt, unsigned } = await store.loadTally(domain)
    Object.assign(entry(domain), { lastCallbackAt, unsigned })
    if (lastCallbackAt !== null) metrics.lastCallback(domain, lastCallbackAt)
  }

  async function follow(): Promise<void> {
    const now = await store.ringsVersion()
    if (now === version) return
    await Promise.all(domains.map(refresh))
    version = now
  }

  async function writeBack(): Promise<void> {
    const measuredAt = clock.elapsed()
    const seconds = (measuredAt - countedFrom) / 1000
    await store.addReceivingTime(seconds)
    receivedBefore += seconds
    countedFrom = measuredAt
    // All at once: the store syncs its disk for all of them together.
    const written = await Promise.allSettled(domains.map(writeBackOne))
    const failed = written.find(({ status }) => status === 'rejected')
    if (failed?.status === 'rejected') throw failed.reason
  }

  async function writeBackOne(domain: string): Promise<void> {
    const known = entry(domain)
    const { uses, unsignedNew } = known
    if (unsignedNew > 0) await store.addUnsigned(domain, unsignedNew)
    known.unsignedNew -= unsignedNew
    const noted = [...uses]
    await change(domain, (ring, at) => {
      const used = noted.reduce(
        (before, [id, usedAt]) => withUse(before, id, { ...at, receiving: usedAt }),
        known.hidden ? withProven(ring, [...uses.keys()], at) : ring,
      )
      return withoutRetired(used, graceSeconds, at.receiving)
    })
    for (const [id, usedAt] of noted) if (uses.get(id) === usedAt) uses.delete(id)
  }

  /** Follows the store and writes back, until `signal` aborts; receiving time counts from here. */
  async function run(signal: AbortSignal): Promise<void> {
    countedFrom = clock.elapsed()
    await Promise.all([runFollower(signal), runWriteBack(signal)])
  }

  async function runFollower(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(FOLLOW_INTERVAL_MS, signal)
      if (signal.aborted) return
      await attempt(follow)
      sayUnsigned()
    }
  }

  /** Also once at the end. */
  async function runWriteBack(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(WRITE_BACK_MS, signal)
      const isLast = signal.aborted
      await attempt(writeBack)
      if (isLast) return
    }
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      trouble.passed(work)
    } catch (error) {
      trouble.met(work, error)
    }
  }

  function sayUnsigned(): void {
    for (const [domain, known] of entries) {
      if (known.unsignedSince === null || known.unsignedSaid) continue
      if (clock.elapsed() - known.unsignedSince < GATHER_UNSIGNED_MS) continue
      known.unsignedSaid = true
      log.warn(
        'unsigned callbacks refused: streams that ran before authentication was switched on stay unsigned until they are pushed again',
        { domain, count: known.unsigned },
      )
    }
  }

  return {
    load,
    run,
    refresh,
    change,
    /** Has `listener` told when a domain was released, or taken up again, by whomever. */
    onReleased(listener: (domain: string) => void) {
      released = listener
    },
    ring: (domain: string) => entry(domain).ring,
    hosts: (domain: string) => entry(domain).hosts,
    unsigned: (domain: string) => entry(domain).unsigned,
    lastCallbackAt: (domain: string) => entry(domain).lastCallbackAt,
    isCallbackPath(prefix: string, domain: string): boolean {
      return entries.get(domain)?.prefixes.has(prefix) ?? configuredPrefixes.includes(prefix)
    },
    isPublicPath: (prefix: string) => configuredPrefixes.includes(prefix),
    accepted(domain: string) {
      const { known, accepted } = entry(domain)
      return { known, keys: accepted }
    },
    /** What may be in force beyond what is accepted; nothing where the provider shows what is. */
    beyond(domain: string) {
      const { hidden, ring } = entry(domain)
      return hidden ? keysBeyond(ring, secrets, domain) : []
    },
    /** Accepts, from now on, a key that a callback was signed with, and moves on to it. */
    async learn(domain: string, id: KeyId): Promise<void> {
      await change(domain, (ring, at) => withUse(withProven(ring, [id], at), id, at))
    },
    noteUse(domain: string, id: KeyId) {
      const known = entry(domain)
      known.uses.set(id, moment().receiving)
      known.lastCallbackAt = clock.now()
    },
    /** Whether the provider shows the key in force: if not, callbacks alone prove which one it is. */
    noteHidden(domain: string, hidden: boolean) {
      entry(domain).hidden = hidden
    },
    noteUnsigned(domain: string) {
      const known = entry(domain)
      known.unsigned += 1
      known.unsignedNew += 1
      known.unsignedSince ??= clock.elapsed()
    },
  }
}
