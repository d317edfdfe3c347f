// What a replica does beside serving, as long as it is one: it says what it is, owns tasks, watches the
// log and the server, and counts streams if that is its task.

import { setTimeout as pause } from 'node:timers/promises'
import type { KeptBy, PostgresLocation } from '../../../core/store-place.ts'
import type { Leases, ReplicaView } from '../../../ports/leases.ts'
import type { Link } from '../connection/link.ts'
import { watchDurability } from './durability.ts'
import { watchGrowth } from './growth.ts'
import { createLeaseKeeper, type LeaseNews, type LeaseTimes } from './leases.ts'

/** Events of a step of counting streams, and the pause when there is nothing to count. */
const COUNTED_EVENTS = 1_000
const COUNT_POLL_MS = 250

export type ReplicaOptions = {
  readonly name: string
  readonly version: string
  /** What the others are to know of this one. */
  view(): ReplicaView
  /** Told when the log may have grown, whoever appended. */
  onGrowth(): void
  /** Whether somebody here follows the log, beside the sinks that are owned here. */
  isFollowed?(): boolean
  readonly news?: LeaseNews
  readonly times?: LeaseTimes
}

type Shared = {
  readonly location: PostgresLocation
  readonly keeping: Link
  readonly reading: Link
  /** Counts the streams of so many events. Returns whether there are more. */
  countStreams(limit: number): Promise<boolean>
  /** Told what the server's clock shows, epoch ms. */
  onServerTime(now: number): void
  readonly onDurability?: ((kept: KeptBy) => void) | undefined
}

/** Becomes one of the replicas, until `leave`, which hands back what is owned here. */
export function joinReplicas(
  { onGrowth, isFollowed, ...replica }: ReplicaOptions,
  { location, keeping, reading, countStreams, onServerTime, onDurability }: Shared,
): { readonly leases: Leases; leave(): Promise<void> } {
  const keeper = createLeaseKeeper({ link: keeping, location, onServerTime, ...replica })
  const isInterested = () => keeper.ownsAny('sink:') || isFollowed?.() === true
  const ending = [
    watchGrowth({ link: reading, schema: location.schema, isInterested, onGrowth }),
    countWhileOwner(keeper, countStreams),
    ...(onDurability ? [watchDurability({ link: keeping, location, onDurability })] : []),
    keeper.close,
  ]
  return {
    leases: keeper,
    async leave() {
      await Promise.all(ending.map((end) => end()))
    },
  }
}

/** Streams are counted by one replica, all the time. Returns what ends it. */
function countWhileOwner(
  leases: Leases,
  countStreams: (limit: number) => Promise<boolean>,
): () => Promise<void> {
  const stopping = new AbortController()
  const { signal } = stopping
  const counting = (async () => {
    while (!signal.aborted) {
      const lease = await leases.hold('streams', signal)
      while (lease?.isHeld() && !signal.aborted) {
        const isMore = await countStreams(COUNTED_EVENTS).catch(() => false)
        if (!isMore) await pause(COUNT_POLL_MS, undefined, { signal }).catch(() => undefined)
      }
      await lease?.release()
    }
  })()
  return () => {
    stopping.abort()
    return counting
  }
}
