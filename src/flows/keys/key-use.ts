// Notes what came in for each domain: uses of keys, unsigned callbacks, the time of the last
// callback. In memory at once, and in the store from time to time.
import {
  type KeyId,
  type Moment,
  withoutRetired,
  withProven,
  withUse,
} from '../../core/keys/key-ring.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { RingMetrics } from '../../ports/metrics.ts'
import type { Tallies } from '../../ports/store.ts'
import type { RingCache } from './ring-cache.ts'

/** Wait this long before logging unsigned callbacks, once, so that the count means something. */
const GATHER_UNSIGNED_MS = 5_000

type Arrived = {
  /** Uses not yet written back: receiving seconds by key. */
  readonly uses: Map<KeyId, number>
  /** When the last callback that verified came, epoch ms. */
  lastCallbackAt: number | null
  unsigned: number
  /** How many of these the store has not been told of. */
  unsignedNew: number
  /** When the first one since the start came, on the clock that never jumps. */
  unsignedSince: number | null
  unsignedLogged: boolean
}

export function createArrivals(deps: {
  domains: readonly string[]
  rings: Pick<RingCache, 'change' | 'isHidden'>
  store: Tallies
  /** Seconds of receiving time after which a superseded key goes, unused. */
  graceSeconds: number
  moment: () => Moment
  clock: Clock
  metrics: RingMetrics
  log: Log
}) {
  const { domains, rings, store, graceSeconds, moment, clock, metrics, log } = deps
  const arrivals = new Map(domains.map((domain) => [domain, nothingArrived()]))
  const of = (domain: string) => arrivals.get(domain) as Arrived

  async function loadOne(domain: string): Promise<void> {
    const { lastCallbackAt, unsigned } = await store.loadTally(domain)
    Object.assign(of(domain), { lastCallbackAt, unsigned })
    if (lastCallbackAt !== null) metrics.lastCallback(domain, lastCallbackAt)
  }

  async function writeBackOne(domain: string): Promise<void> {
    const arrived = of(domain)
    const { uses, unsignedNew } = arrived
    if (unsignedNew > 0) await store.addUnsigned(domain, unsignedNew)
    arrived.unsignedNew -= unsignedNew
    const noted = [...uses]
    await rings.change(domain, (ring, at) => {
      const used = noted.reduce(
        (before, [id, usedAt]) => withUse(before, id, { ...at, receiving: usedAt }),
        rings.isHidden(domain) ? withProven(ring, [...uses.keys()], at) : ring,
      )
      return withoutRetired(used, graceSeconds, at.receiving)
    })
    for (const [id, usedAt] of noted) if (uses.get(id) === usedAt) uses.delete(id)
  }

  return {
    async load(): Promise<void> {
      await Promise.all(domains.map(loadOne))
    },
    /** Tells the store of it, for all domains at once: it syncs its disk for them together. */
    async writeBack(): Promise<void> {
      const written = await Promise.allSettled(domains.map(writeBackOne))
      const failed = written.find(({ status }) => status === 'rejected')
      if (failed?.status === 'rejected') throw failed.reason
    },
    logUnsigned(): void {
      for (const [domain, arrived] of arrivals) {
        if (arrived.unsignedSince === null || arrived.unsignedLogged) continue
        if (clock.elapsed() - arrived.unsignedSince < GATHER_UNSIGNED_MS) continue
        arrived.unsignedLogged = true
        log.warn(
          'unsigned callbacks refused: either of streams that ran before authentication was switched on, which stay unsigned until they are pushed again, or of somebody who only tries this address',
          { domain, count: arrived.unsigned },
        )
      }
    },
    unsigned: (domain: string) => of(domain).unsigned,
    lastCallbackAt: (domain: string) => of(domain).lastCallbackAt,
    noteUse(domain: string, id: KeyId) {
      const arrived = of(domain)
      arrived.uses.set(id, moment().receiving)
      arrived.lastCallbackAt = clock.now()
    },
    noteUnsigned(domain: string) {
      const arrived = of(domain)
      arrived.unsigned += 1
      arrived.unsignedNew += 1
      arrived.unsignedSince ??= clock.elapsed()
    },
  }
}

function nothingArrived(): Arrived {
  return {
    uses: new Map(),
    lastCallbackAt: null,
    unsigned: 0,
    unsignedNew: 0,
    unsignedSince: null,
    unsignedLogged: false,
  }
}
