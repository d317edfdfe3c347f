// The store on a PostgreSQL that replicas share: the port, put together. Four connections: one that
// appends, one for what is small and must not wait, one that reads, one for what may wait long.
import { ServiceError } from '../../errors.ts'
import type { Store } from '../../ports/store.ts'
import type { Seals } from '../sealed-rings/seal.ts'
import { createWriteQueue, QUEUE_LIMITS, type QueueLimits } from '../write-queue.ts'
import { type AppendReport, createAppender } from './append.ts'
import { createAudits } from './audit/audits.ts'
import { freeLock } from './blocker.ts'
import { createCursors } from './cursors.ts'
import { createDeadLetters } from './dead-letters.ts'
import { createEventLog } from './event-log.ts'
import { faultOf, openFault, storeFault } from './faults.ts'
import { createLink, type Link } from './link.ts'
import { nameOf, type PostgresLocation } from './location.ts'
import { checkSchema, migrate } from './migrate.ts'
import { dropPartitions } from './partitions.ts'
import { createRetention } from './pruning.ts'
import { createReplays } from './replays.ts'
import { createRings } from './rings.ts'
import { createTallies } from './tallies.ts'

const OPEN_DEADLINE_MS = 15_000
const MIGRATE_DEADLINE_MS = 120_000
/** A commit that is younger is proof enough that appends are taken. */
const PROOF_MS = 2_000

export type PostgresStoreOptions = {
  readonly location: PostgresLocation
  readonly seals: Seals
  /** Epoch ms. */
  readonly now: () => number
  /** Makes and changes nothing: for commands that only look. */
  readonly readOnly?: boolean
  /** Told of every commit that took events along. */
  readonly onCommit?: (commit: AppendReport) => void
  /** Told of the server's new timeline after a failover: the numbers have jumped. */
  readonly onFailover?: (timeline: string) => void
  /** Told when the connection that appends is made or lost. */
  readonly onConnection?: (isConnected: boolean) => void
  readonly limits?: Partial<QueueLimits>
}

export type PostgresStore = Store

/**
 * Opens the store, making and migrating its schema where that is missing. Rejects with
 * `store_unavailable` or `store_newer` and one sentence on what to do.
 */
export async function openPostgresStore(options: PostgresStoreOptions): Promise<PostgresStore> {
  const { location, seals, now, readOnly = false } = options
  const limits = { ...QUEUE_LIMITS, ...options.limits }
  const link = (name: string, onChange?: (isConnected: boolean) => void) =>
    createLink({ location, name, ...(onChange && { onChange }) })
  const appending = link('appends', options.onConnection)
  const keeping = link('keeper')
  const reading = link('reads')
  const writing = link('changes')
  const links = [appending, keeping, reading, writing]
  const closeAll = async () => {
    await Promise.all(links.map((each) => each.close()))
  }
  try {
    await prepare(appending, { location, readOnly })
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
  let probing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  const append: Store['append'] = (event) => {
    // For a blip callbacks wait; then they are better off with a refusal.
    const down = appending.downSince()
    if (down !== null && performance.now() - down > limits.appendTimeoutMs) {
      return Promise.reject(storeFault(location, "can't be reached", 'store_failed'))
    }
    return queue.append(event)
  }

  const store: Store = {
    append,
    ...createEventLog(reading, location.schema),
    ...createRings({ reading, writing }, location, seals),
    ...createCursors({ keeping, writing }, location, now),
    ...createDeadLetters({ reading, keeping, writing }, location),
    ...createReplays({ keeping, writing }, location, now),
    ...createTallies(keeping, location),
    ...createAudits({ reading, writing }, location, { now, append }),
    ...createRetention({
      reading,
      writing,
      location,
      now,
      dropPartitions: () => dropPartitions(writing, location),
    }),

    checkWritable() {
      if (closing !== undefined) return Promise.reject(closedFault(location))
      if (performance.now() - appender.committedAt() < PROOF_MS) return Promise.resolve()
      probing ??= appender.probe().finally(() => {
        probing = undefined
      })
      return probing
    },

    close() {
      closing ??= queue.close().then(closeAll)
      return closing
    },
  }
  return withFaults(store, location)
}

async function prepare(
  link: Link,
  { location, readOnly }: { location: PostgresLocation; readOnly: boolean },
): Promise<void> {
  // Connects, within its own time; only then may a migration take long.
  await link.run(async (session) => {
    const [server] = await session.rows(
      `select current_setting('transaction_isolation') as isolation`,
    )
    if (server?.isolation === 'read committed') return
    const problem = `has the default isolation "${String(server?.isolation)}": set it to "read committed" for this role`
    throw storeFault(location, problem, 'store_unavailable')
  }, OPEN_DEADLINE_MS)
  await link.run(
    (session) => (readOnly ? checkSchema(session, location) : migrate(session, location)),
    MIGRATE_DEADLINE_MS,
  )
}

/** Every rejection is a fault of ours with a sentence; nobody above knows of SQLSTATE. */
function withFaults(store: Store, location: PostgresLocation): Store {
  const wrapped = Object.entries(store).map(([name, method]) => [
    name,
    (...args: unknown[]) =>
      (method as (...args: unknown[]) => Promise<unknown>)(...args).catch((error: unknown) => {
        throw faultOf(error, location)
      }),
  ])
  return Object.fromEntries(wrapped) as Store
}

function closedFault(location: PostgresLocation): ServiceError {
  return new ServiceError(`The store ${nameOf(location)} is closed.`, { code: 'store_failed' })
}
