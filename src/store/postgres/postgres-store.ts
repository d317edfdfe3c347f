// The store on a PostgreSQL that replicas share: the port, put together. It has four connections: for
// appends, for small work that must not wait, for reads, and for changes that may wait long. Two more are
// opened when they are first used: for searches, and for the janitor.

import { type KeptBy, locationName, type PostgresLocation } from '../../core/store-place.ts'
import { ServiceError } from '../../errors.ts'
import type { Leases } from '../../ports/leases.ts'
import type { Reading } from '../../ports/reading.ts'
import type { Store } from '../../ports/store.ts'
import type { SharingView } from '../../ports/views.ts'
import type { Seals } from '../sealed-rings/seal.ts'
import { createWriteQueue, QUEUE_LIMITS, type QueueLimits } from '../write-queue.ts'
import { type AppendReport, createAppender } from './append.ts'
import { createAudits } from './audit/audits.ts'
import { freeLock, whoBlocks } from './blocker.ts'
import { faultOf, openFault, withFaults } from './connection/faults.ts'
import { createLink, type Link, type LinkOptions } from './connection/link.ts'
import { inSchema } from './connection/location.ts'
import { refuseUnfinishedCopy } from './copy/mark.ts'
import { checkIsolation, checkSchema, type MigrateOptions, migrate } from './migrate.ts'
import { createCursors } from './queries/cursors.ts'
import { createDeadLetters } from './queries/dead-letters.ts'
import { createEventLog } from './queries/event-log.ts'
import { createEventSearch } from './queries/event-search.ts'
import { createDropper } from './queries/partitions.ts'
import { createRetention } from './queries/pruning.ts'
import { createReplays } from './queries/replays.ts'
import { createRings } from './queries/rings.ts'
import { createStreamSearch } from './queries/stream-search.ts'
import { createStreamCount } from './queries/streams.ts'
import { createTallies } from './queries/tallies.ts'
import { joinReplicas, type ReplicaOptions } from './replicas/join.ts'
import { createServerClock } from './replicas/server-clock.ts'
import { createSharing } from './replicas/sharing.ts'

const OPEN_DEADLINE_MS = 15_000
const MIGRATE_DEADLINE_MS = 120_000
const ASK_DEADLINE_MS = 2_000
/** A commit within this time proves that appends are taken. */
const PROOF_MS = 2_000

export type PostgresStoreOptions = {
  readonly location: PostgresLocation
  readonly seals: Seals
  /** Epoch ms. */
  readonly now: () => number
  /** Makes no schema and changes none: for commands. */
  readonly readOnly?: boolean
  /** Told of every commit that took events along. */
  readonly onCommit?: (commit: AppendReport) => void
  /** Told of the server's new timeline after a failover: the numbers have jumped. */
  readonly onFailover?: (timeline: string) => void
  /** Told what a commit is worth, at first and when that changes. */
  readonly onDurability?: (kept: KeptBy) => void
  /** Told when the connection that appends is made or lost. */
  readonly onConnection?: (isConnected: boolean) => void
  /** Told when the clock here is off the server's, by so many ms; 0: not any more. */
  readonly onClock?: (offMs: number) => void
  /** Told when what is pruned can't be dropped: it takes room for longer. */
  readonly onDropFailing?: (problem: string) => void
  readonly limits?: Partial<QueueLimits>
} & Omit<MigrateOptions, 'whoBlocks'>

export interface PostgresStore extends Store, Reading {
  /** Becomes one of the replicas, until the store is closed. */
  join(options: ReplicaOptions): Leases
  /** Asks the owner of the registrar for a look. Returns how many ms ago one was first asked for: 0 if just now. */
  askLook(domain: string): Promise<number>
  readSharing(): Promise<SharingView>
}

/**
 * Opens the store, making and migrating its schema where that is missing. Rejects with
 * `store_unavailable` or `store_newer` and one sentence on what to do.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { location, seals, now, readOnly = false } = options
  const limits = { ...QUEUE_LIMITS, ...options.limits }
  const link = (name: string, more: Partial<LinkOptions> = {}) =>
    createLink({ location, name, isForReading: readOnly, ...more })
  const { onConnection: onChange } = options
  const appending = link('appends', onChange && { onChange })
  const keeping = link('keeper')
  const reading = link('reads', { isForReading: true })
  const writing = link('changes')
  // Opened at the first search, which may be slow: no delivery waits behind it.
  const searching = link('looks', { isForReading: true })
  // Opened by the janitor: what waits there for readers holds up nothing else.
  const dropping = link('drops')
  const links = [appending, keeping, reading, writing, searching, dropping]
  const closeAll = async () => {
    await Promise.all(links.map((each) => each.close()))
  }
  try {
    await prepare(appending, {
      ...options,
      whoBlocks: (pid) => whoBlocks(writing, pid).catch(() => null),
    })
  } catch (error) {
    await closeAll()
    throw openFault(error, location)
  }

  const appender = createAppender({
    link: appending,
    location,
    onAppend: options.onCommit,
    onFailover: options.onFailover,
    freeLock: () => freeLock(writing, location),
  })
  const queue = createWriteQueue(async ({ events }) => {
    return { ...(await appender.commit(events)), writes: [] }
  }, limits)
  const clock = createServerClock(now, options.onClock)
  let probing: Promise<void> | undefined
  let closing: Promise<void> | undefined
  const leaving: (() => Promise<void>)[] = []

  const dropFailing = (error: unknown) => options.onDropFailing?.(faultOf(error, location).message)
  const log = createEventLog(reading, location.schema)
  const countStreams = createStreamCount({
    link: writing,
    schema: location.schema,
    read: log.read,
  })

  /** Why appends are refused at once: a short loss of the connection they wait out, a long one they can't. */
  function refusal(): { readonly fault: unknown } | undefined {
    const down = appending.down()
    if (down === null || performance.now() - down.since <= limits.appendTimeoutMs) return undefined
    return down
  }

  const append: Store['append'] = (event) => {
    const refused = refusal()
    return refused === undefined
      ? queue.append(clock.received(event))
      : Promise.reject(refused.fault)
  }

  const store: Store & Reading = {
    append,
    read: log.read,
    stats: log.stats,
    ...createEventSearch(searching, location.schema),
    findStreams: createStreamSearch(searching, location.schema),
    async fillStreams(limit) {
      const start = performance.now()
      const isMore = await countStreams(limit)
      return { seconds: (performance.now() - start) / 1_000, isMore }
    },
    ...createRings({ reading, writing }, location, seals),
    ...createCursors({ keeping, writing }, location, now),
    ...createDeadLetters({ reading, keeping, writing }, location),
    ...createReplays({ keeping, writing }, location, now),
    ...createTallies(keeping, location),
    ...createAudits({ reading, writing, searching }, location, { now, append }),
    ...createRetention({
      reading,
      writing,
      location,
      now,
      stepAt: clock.step,
      dropper: createDropper({ link: dropping, location, onFailing: dropFailing }),
    }),

    checkWritable() {
      if (closing !== undefined) return Promise.reject(closedFault(location))
      if (performance.now() - appender.committedAt() < PROOF_MS) return Promise.resolve()
      const refused = refusal()
      if (refused !== undefined) return Promise.reject(refused.fault)
      probing ??= appender.probe().finally(() => {
        probing = undefined
      })
      return probing
    },

    close() {
      closing ??= queue
        .close()
        .then(() => Promise.all(leaving.map((leave) => leave())))
        .then(closeAll)
      return closing
    },
  }
  const ask = inSchema(
    location.schema,
    `select @.ask_look_1($1) as asked, (
       select extract(epoch from clock_timestamp() - asked_at)::float8 * 1000
       from @.registrations where domain = $1
     ) as ago`,
  )

  return {
    ...withFaults({ ...store, ...createSharing(searching, location) }, location),
    join(replica) {
      const { leases, leave } = joinReplicas(replica, {
        ...{ location, keeping, reading, countStreams },
        onServerTime: clock.note,
        onDurability: options.onDurability,
      })
      leaving.push(leave)
      return leases
    },
    async askLook(domain) {
      const [row] = await keeping.run((session) => session.rows(ask, [domain]), ASK_DEADLINE_MS)
      return row?.asked === true ? 0 : Number(row?.ago)
    },
  }
}

async function prepare(
  link: Link,
  { location, readOnly, ...migrating }: PostgresStoreOptions & MigrateOptions,
): Promise<void> {
  // Connects, within its own time; only then may a migration take long.
  await link.run((session) => checkIsolation(session, location), OPEN_DEADLINE_MS)
  await link.run(
    (session) =>
      readOnly
        ? checkSchema(session, location, migrating.migrations)
        : migrate(session, location, migrating),
    MIGRATE_DEADLINE_MS,
  )
  await link.run((session) => refuseUnfinishedCopy(session, location), OPEN_DEADLINE_MS)
}

function closedFault(location: PostgresLocation): ServiceError {
  return new ServiceError(`The store ${locationName(location)} is closed.`, {
    code: 'store_failed',
  })
}
