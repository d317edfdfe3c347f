// The store on one SQLite file: the port, put together from the queue, the writer and the seals.
import { ServiceError } from '../../errors.ts'
import type { Reading } from '../../ports/reading.ts'
import type { Store } from '../../ports/store.ts'
import { decodeRing, encodeRing } from '../sealed-rings/ring-content.ts'
import type { Seals } from '../sealed-rings/seal.ts'
import { createWriteQueue, QUEUE_LIMITS, type QueueLimits } from '../write-queue.ts'
import { type Committed, packEvents, packRejected, unpackStored, type Write } from './messages.ts'
import { createReading } from './reading.ts'
import { startWriter } from './writer-link.ts'

/** Probes and scrapes ask for them, and must be answered while the store hangs. */
const STATS_TIMEOUT_MS = 1_000

export type Commit = {
  /** How long the transaction took, sync included. */
  readonly seconds: number
  /** How many events it took along, one or more; duplicates included. */
  readonly events: number
}

export type SqliteStoreOptions = {
  readonly path: string
  readonly seals: Seals
  /** Epoch ms. */
  readonly now: () => number
  /** Makes and changes nothing: for commands that only look. */
  readonly readOnly?: boolean
  /** With `readOnly`: what others commit from now on shows. */
  readonly isLive?: boolean
  /** Told of every commit that took events along. */
  readonly onCommit?: (commit: Commit) => void
  readonly limits?: Partial<QueueLimits>
  /** The entry of the worker thread. */
  readonly workerUrl?: URL
  /** Stands for the worker thread: a database in this one, say. */
  readonly startWriter?: typeof startWriter
  /** See `createWriteQueue`. */
  readonly gather?: () => Promise<unknown>
}

export interface SqliteStore extends Store, Reading {
  /** Runs a pragma on the live writing connection and returns its value. */
  pragma(statement: string): Promise<unknown>
}

/**
 * Opens the store, making it and its folder where they are missing. Rejects with
 * `store_unavailable` or `store_newer` and one sentence on what to do.
 */
export async function openSqliteStore(options: SqliteStoreOptions): Promise<SqliteStore> {
  const { path, seals, now, readOnly = false, isLive = false, onCommit } = options
  const { startWriter: start = startWriter, gather } = options
  const { workerUrl = new URL('./worker/writer.ts', import.meta.url) } = options
  const limits = { ...QUEUE_LIMITS, ...options.limits }
  const writer = await start(workerUrl, { path, readOnly, isLive })
  const queue = createWriteQueue<Write>(
    async ({ events: waiting, understood, writes }) => {
      const batch = { events: packEvents(waiting, understood), writes }
      const committed = await writer.call('commit', batch, [batch.events.buffer])
      const events =
        committed.seqs.filter((seq) => typeof seq === 'number').length +
        filledBy(batch.writes, committed.writes)
      if (events > 0) onCommit?.({ seconds: committed.seconds, events })
      return committed
    },
    limits,
    gather,
  )
  const reading = createReading(() =>
    readOnly ? Promise.resolve(writer) : start(workerUrl, { path, readOnly: true, isLive: true }),
  )
  let probing: Promise<void> | undefined
  let closing: Promise<void> | undefined

  return {
    append: queue.append,
    read: async (after, limit, maxBytes) => {
      const wanted = { after, limit, ...(maxBytes !== undefined && { maxBytes }) }
      return unpackStored(await writer.call('read', wanted))
    },
    stats: () => inTime(writer.call('stats', undefined), STATS_TIMEOUT_MS),

    async loadRing(domain) {
      const stored = await writer.call('loadRing', domain)
      if (stored === null) return null
      return { ring: await decodeRing(domain, stored.content, seals), revision: stored.revision }
    },

    async saveRing(domain, ring, revision) {
      const stored = await writer.call('loadRing', domain)
      if ((stored?.revision ?? 0) !== revision) return null
      const content = await encodeRing(domain, ring, stored?.content, seals)
      return queue.write({ kind: 'ring', domain, content, revision })
    },

    ringsVersion: () => writer.call('ringsVersion', undefined),
    loadCursor: (sink) => writer.call('loadCursor', sink),

    async advanceCursor(sink, seq, rejected = []) {
      await queue.write({ kind: 'cursor', sink, seq, at: now(), rejected: packRejected(rejected) })
    },

    listCursors: () => writer.call('listCursors', undefined),
    readDeadLetters: (query) => writer.call('readDeadLetters', query),

    async countDeadLetters() {
      return new Map(await inTime(writer.call('countDeadLetters', undefined), STATS_TIMEOUT_MS))
    },

    changeDeadLetters: async (change) => (await queue.write({ kind: 'dead_letters', change })) ?? 0,

    prune: (step) => writer.call('prune', step),
    pruneLetters: (limit) => writer.call('pruneLetters', { limit, at: now() }),
    readExpired: (sink) => writer.call('readExpired', sink),
    dropExpired: (sink) => writer.call('dropExpired', sink),

    requestReplay: (request) => writer.call('requestReplay', { ...request, at: now() }),
    nextReplay: (sink) => writer.call('nextReplay', sink),
    listReplays: () => writer.call('listReplays', undefined),
    advanceReplay: (progress) => writer.call('advanceReplay', { ...progress, at: now() }),
    cancelReplay: (id) => writer.call('cancelReplay', { id, at: now() }),

    loadReceivingTime: () => writer.call('loadReceivingTime', undefined),

    async addReceivingTime(seconds) {
      await queue.write({ kind: 'receiving_time', seconds })
    },

    findEvents: reading.findEvents,
    findJson: reading.findJson,
    findFrames: reading.findFrames,
    findEvent: reading.findEvent,
    logRange: reading.logRange,
    findStreams: reading.findStreams,
    fillStreams: (limit) => writer.call('fillStreams', limit),

    loadTally: (domain) => writer.call('loadTally', domain),

    async addUnsigned(domain, count) {
      await queue.write({ kind: 'unsigned', domain, count })
    },

    beginTaking: (domains, at) => writer.call('beginTaking', { domains, at }),
    noteTaking: (domains, at) => writer.call('noteTaking', { domains, at }),
    noteNotTaking: (domain, range) => writer.call('noteNotTaking', { domain, range }),
    loadAudit: (domain) => writer.call('loadAudit', domain),
    surveyKept: reading.surveyKept,
    readKept: reading.readKept,
    fill: async (events, progress) =>
      (await queue.write({ kind: 'fill', events: packEvents(events), progress, at: now() })) ?? 0,
    requestBackfill: (request) => writer.call('requestBackfill', { ...request, at: now() }),
    nextBackfill: (domain) => writer.call('nextBackfill', domain),
    listBackfills: () => writer.call('listBackfills', undefined),
    cancelBackfill: (id) => writer.call('cancelBackfill', { id, at: now() }),

    checkWritable() {
      probing ??= writer.call('probe', undefined).finally(() => {
        probing = undefined
      })
      return inTime(probing, limits.appendTimeoutMs)
    },

    pragma: (statement) => writer.call('pragma', statement),

    close() {
      closing ??= queue.close().then(async () => {
        // The reader first: the last connection copies the write-ahead log.
        if (!readOnly) await reading.close()
        await writer.close()
      })
      return closing
    },
  }
}

/** Events that the audit has added in a commit. */
function filledBy(writes: readonly Write[], answers: Committed['writes']): number {
  const filled = writes.map(({ kind }, row) => (kind === 'fill' ? answers[row] : 0))
  return filled.reduce<number>((sum, each) => sum + (typeof each === 'number' ? each : 0), 0)
}

async function inTime<T>(work: Promise<T>, ms: number): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const fault = new ServiceError('The store did not answer in time.', { code: 'store_slow' })
  const timer = setTimeout(() => reject(fault), ms)
  return Promise.race([work, promise]).finally(() => clearTimeout(timer))
}
