// What the store knows, for `status`.
import type { Config } from '../config.ts'
import { EMPTY_RING, type Ring, ringGeneration, sameKey } from '../core/key-ring.ts'
import { knownSecrets, openForLooking } from './looking.ts'

export type DomainStatus = {
  readonly domain: string
  readonly url: string | null
  /** -1 foreign; null unknown. */
  readonly generation: number | null
  /** When the key in force was first seen, ISO 8601. */
  readonly keySeenAt: string | null
}

export type StoreStatus = {
  readonly path: string
  readonly events: number
  readonly lastSeq: number
  readonly domains: readonly DomainStatus[]
  readonly sinks: readonly {
    readonly name: string
    readonly lag: number
    readonly deadLetters: number
    /** Not, where it was taken out: its cursor is kept. */
    readonly inSettings: boolean
  }[]
}

/** What the store knows, or null where there is no store yet. */
export async function readStore(config: Config): Promise<StoreStatus | null> {
  const store = await openForLooking(config, knownSecrets(config))
  if (store === null) return null
  try {
    const { events, lastSeq } = await store.stats()
    const domains = await Promise.all(
      config.domains.map(async (domain) =>
        statusOf(domain, (await store.loadRing(domain))?.ring ?? EMPTY_RING),
      ),
    )
    const [cursors, letters] = await Promise.all([store.listCursors(), store.countDeadLetters()])
    const configured = config.sinks.map(({ name }) => name)
    const names = new Set([...configured, ...cursors.map(({ sink }) => sink), ...letters.keys()])
    const sinks = [...names].map((name) => ({
      name,
      lag: lastSeq - (cursors.find(({ sink }) => sink === name)?.seq ?? 0),
      deadLetters: letters.get(name) ?? 0,
      inSettings: configured.includes(name),
    }))
    return { path: config.storePath, events, lastSeq, domains, sinks }
  } finally {
    await store.close()
  }
}

function statusOf(domain: string, ring: Ring): DomainStatus {
  const { current } = ring
  const foreign = current?.kind === 'foreign'
  const seenAt = current && ring.keys.find(({ id }) => sameKey(id, current))?.seenAt
  return {
    domain,
    url: ring.confirmedUrl,
    generation: current === null ? null : foreign ? -1 : ringGeneration(ring),
    keySeenAt: seenAt ? new Date(seenAt).toISOString() : null,
  }
}
