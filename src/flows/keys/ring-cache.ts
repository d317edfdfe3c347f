// Holds the rings of all domains in memory, in step with the store: what a callback is verified
// against, and the one way to change a ring.
import { type AcceptedKey, acceptedKeys, keysBeyond } from '../../core/keys/accepted-keys.ts'
import {
  EMPTY_RING,
  isCurrentKnown,
  type KeyId,
  type Moment,
  type Ring,
  withProven,
  withUse,
} from '../../core/keys/key-ring.ts'
import type { Secret } from '../../core/keys/notify-key.ts'
import { signedHosts } from '../../core/keys/signature.ts'
import { notifyUrl, pathPrefix } from '../../core/registration/notify-url.ts'
import { faultCode } from '../../errors.ts'
import type { RingStore } from '../../ports/store.ts'

/** Hosts that are tried first anyway: two that are in use need not change places. */
const MAX_LIKELY_HOSTS = 2

type Entry = {
  ring: Ring
  revision: number
  accepted: readonly AcceptedKey[]
  /** Whether the key in force is known, and can be derived. */
  known: boolean
  hosts: readonly string[]
  prefixes: ReadonlySet<string>
  /** Whether the provider did not show the key in force at the last look. */
  hidden: boolean
}

export type RingCache = ReturnType<typeof createRingCache>

/** Every ring is empty before it is loaded. */
export function createRingCache(deps: {
  domains: readonly string[]
  /** As configured, the current one first. */
  publicUrls: readonly string[]
  secrets: readonly Secret[]
  store: RingStore
  moment: () => Moment
}) {
  const { domains, publicUrls, secrets, store, moment } = deps
  const entries = new Map<string, Entry>()
  const configuredPrefixes = ['', ...publicUrls.map((url) => pathPrefix(notifyUrl(url, 'any')))]
  let released: (domain: string) => void = () => undefined
  let version = -1
  /** Domains whose ring could not be read. */
  let unread: readonly string[] = []

  /** Only the configured domains have one: what a request names must not make it grow. */
  function entry(domain: string): Entry {
    const known = entries.get(domain)
    if (known === undefined) throw new TypeError('not a configured domain')
    return known
  }

  function place(domain: string, ring: Ring, revision: number): void {
    const urls = [ring.confirmedUrl ?? [], ...ring.formerUrls].flat()
    const before = entries.get(domain)
    entries.set(domain, {
      ring,
      revision,
      accepted: acceptedKeys(ring, secrets, domain),
      known: isCurrentKnown(ring, secrets),
      hosts: hostsOf([...publicUrls, ...urls], before?.hosts[0]),
      prefixes: new Set([...configuredPrefixes, ...urls.map(pathPrefix)]),
      hidden: before?.hidden ?? false,
    })
    if (before !== undefined && before.ring.released !== ring.released) released(domain)
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

  /** Saves `to` if the ring is still `from`; if not, it is read again, and nothing is saved. */
  async function replace(domain: string, from: Ring, to: Ring): Promise<boolean> {
    const { ring, revision } = entry(domain)
    if (ring !== from) return false
    const saved = await store.saveRing(domain, to, revision)
    if (saved === null) await refresh(domain)
    else place(domain, to, saved)
    return saved !== null
  }

  /** Changes a ring in one transaction; the change is made again where somebody else was faster. */
  async function change(domain: string, alter: (ring: Ring, at: Moment) => Ring): Promise<Ring> {
    for (;;) {
      const { ring } = entry(domain)
      const altered = alter(ring, moment())
      if (altered === ring || (await replace(domain, ring, altered))) return altered
    }
  }

  /**
   * Reads again what anybody has changed since the last time. A ring that can't be read holds up no
   * other one: it alone is tried again next time. Rejects with a fault that concerns all, if any.
   */
  async function follow(): Promise<void> {
    const now = await store.ringsVersion()
    const due = now === version ? unread : domains
    const read = await Promise.allSettled(due.map(refresh))
    unread = due.filter((_, index) => read[index]?.status === 'rejected')
    version = now
    const faults = read.flatMap((each) => (each.status === 'rejected' ? [each.reason] : []))
    if (faults.length > 0) throw faults.find((fault) => !isOfOneRing(fault)) ?? faults[0]
  }

  return {
    moment,
    refresh,
    replace,
    change,
    follow,
    /** Has `listener` told when a domain was released, or taken up again, by whomever. */
    onReleased(listener: (domain: string) => void) {
      released = listener
    },
    ring: (domain: string) => entry(domain).ring,
    /** What a callback may be signed for: what the last one was, then as configured, former ones last. */
    hosts: (domain: string) => entry(domain).hosts,
    noteHost(domain: string, host: string) {
      const known = entry(domain)
      if (known.hosts.indexOf(host) < MAX_LIKELY_HOSTS) return
      known.hosts = [...new Set([host, ...known.hosts])]
    },
    isCallbackPath(prefix: string, domain: string): boolean {
      return entries.get(domain)?.prefixes.has(prefix) ?? configuredPrefixes.includes(prefix)
    },
    isPublicPath: (prefix: string) => configuredPrefixes.includes(prefix),
    accepted(domain: string) {
      const { known, accepted } = entry(domain)
      return { known, keys: accepted }
    },
    /** Whether the provider shows the key in force: if not, callbacks alone prove which one it is. */
    noteHidden(domain: string, hidden: boolean) {
      entry(domain).hidden = hidden
    },
    isHidden: (domain: string) => entry(domain).hidden,
    /** What may be in force beyond what is accepted; nothing where the provider shows what is. */
    beyond(domain: string) {
      const { hidden, ring } = entry(domain)
      return hidden ? keysBeyond(ring, secrets, domain) : []
    },
    /** Accepts, from now on, a key that a callback was signed with, and moves on to it. */
    async learn(domain: string, id: KeyId): Promise<void> {
      await change(domain, (ring, at) => withUse(withProven(ring, [id], at), id, at))
    },
  }
}

/** Whether a fault concerns the ring of one domain alone. */
export function isOfOneRing(error: unknown): boolean {
  return faultCode(error) === 'ring_damaged'
}

/** The hosts that callbacks to `urls` may be signed for; `proven`, if it is one of them, first. */
function hostsOf(urls: readonly string[], proven: string | undefined): readonly string[] {
  const hosts = new Set(urls.flatMap(signedHosts))
  return proven !== undefined && hosts.has(proven) ? [...new Set([proven, ...hosts])] : [...hosts]
}
