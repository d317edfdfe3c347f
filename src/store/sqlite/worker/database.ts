// The whole store as plain synchronous calls of one argument each: what the worker thread offers to
// the event loop. Every answer crosses threads, so it is made of plain values.
import type { DatabaseSync } from 'node:sqlite'
import {
  createKeptColumns,
  createKeptShots,
  type GivenName,
} from '../../../core/audit/kept-columns.ts'
import type { Range } from '../../../core/audit/ranges.ts'
import type { BackfillRequest, KeptQuery } from '../../../ports/audit.ts'
import type { DeadLetterQuery } from '../../../ports/dead-letters.ts'
import type { EventQuery, FramesWanted, StreamQuery } from '../../../ports/reading.ts'
import type { ReplayProgress, ReplayRequest } from '../../../ports/replays.ts'
import type { Pruned, PruneStep } from '../../../ports/retention.ts'
import { framesPage, jsonPage } from '../../event-texts.ts'
import { openFault } from '../faults.ts'
import { packStored } from '../messages.ts'
import { createStreamSearch } from '../streams/stream-search.ts'
import { createStreams } from '../streams/streams.ts'
import { createAudits } from '../tables/audits.ts'
import { createBackfills } from '../tables/backfills.ts'
import { createCursors } from '../tables/cursors.ts'
import { createDeadLetters } from '../tables/dead-letters.ts'
import { createEventLog } from '../tables/event-log.ts'
import { createEventSearch, type IndexPosition } from '../tables/event-search.ts'
import { createExpired } from '../tables/expired.ts'
import { createPruning } from '../tables/pruning.ts'
import { createReceivingTime } from '../tables/receiving-time.ts'
import { createReplays } from '../tables/replays.ts'
import { createRings } from '../tables/rings.ts'
import { createTallies } from '../tables/tallies.ts'
import { openConnection, type StoreFile } from './connection.ts'
import { createCopying } from './copying.ts'
import { type FileInUse, watchFile } from './file-in-use.ts'
import { createGroupCommit, transact } from './group-commit.ts'

/** More than one page, so that a store without room to grow is noticed before an event is lost. */
const PROBE_BYTES = 6_000

export type Database = ReturnType<typeof openDatabase>

/** Opens the store; it throws a `ServiceError` that says what is wrong. */
export function openDatabase(file: StoreFile) {
  const db = openConnection(file)
  try {
    return offerDatabase(db, file, watchFile(file.path))
  } catch (error) {
    db.close()
    throw openFault(error, file.path)
  }
}

/** The calls on a connection that is open and migrated. */
export function offerDatabase(db: DatabaseSync, file: StoreFile, inUse: FileInUse) {
  const log = createEventLog(db)
  const rings = createRings(db)
  const cursors = createCursors(db)
  const deadLetters = createDeadLetters(db)
  const expired = createExpired(db)
  const streams = createStreams(db)
  const pruning = createPruning(db, cursors, expired, streams)
  const replays = createReplays(db)
  const receivingTime = createReceivingTime(db)
  const tallies = createTallies(db)
  const audits = createAudits(db)
  const backfills = createBackfills(db)
  const search = createEventSearch(db)
  const streamSearch = createStreamSearch(db)
  const insertProbe = db.prepare('insert into probes (padding) values (zeroblob(?))')
  const deleteProbe = db.prepare('delete from probes')

  return {
    commit: createGroupCommit(db, {
      tables: {
        log,
        rings,
        streams,
        cursors,
        deadLetters,
        receivingTime,
        tallies,
        audits,
        backfills,
      },
      path: file.path,
      checkedFor: inUse.checkedFor,
    }),
    read: ({ after, limit, maxBytes }: { after: number; limit: number; maxBytes?: number }) =>
      packStored(log.read(after, limit, maxBytes)),
    surveyKept: (query: KeptQuery) =>
      taking(() => {
        const gathered = createKeptColumns()
        const next = log.walk(query, gathered.add)
        return { next, columns: gathered.columns() }
      }),
    readKept: (query: KeptQuery & { readonly except: readonly GivenName[] }) =>
      taking(() => {
        const { shots, add } = createKeptShots(query.except)
        return { next: log.walk(query, add), shots }
      }),
    stats: () => log.stats(),
    loadRing: (domain: string) => rings.load(domain),
    ringsVersion: () => rings.version(),
    loadCursor: (sink: string) => cursors.load(sink),
    listCursors: () => cursors.list(),
    readDeadLetters: (query: DeadLetterQuery) => deadLetters.read(query),
    countDeadLetters: () => deadLetters.count(),
    prune: (step: PruneStep): Pruned => timed(() => pruning.prune(step)),
    pruneLetters: (step: { limit: number; at: number }) => timed(() => pruning.pruneLetters(step)),
    readExpired: (sink: string | null) => expired.list(sink),
    dropExpired: (sink: string | null) => write(() => expired.drop(sink)),
    requestReplay: ({ at, ...request }: ReplayRequest & { at: number }) =>
      write(() => replays.request(request, at)),
    nextReplay: (sink: string) => replays.next(sink),
    listReplays: () => replays.list(),
    advanceReplay: ({ at, ...progress }: ReplayProgress & { at: number }) =>
      write(() => replays.advance(progress, at)),
    cancelReplay: ({ id, at }: { id: number; at: number }) => write(() => replays.cancel(id, at)),
    loadReceivingTime: () => receivingTime.load(),
    loadTally: (domain: string) => tallies.load(domain),
    beginTaking: ({ domains, at }: { domains: readonly string[]; at: number }) =>
      write(() => audits.beginTaking(domains, at)),
    noteTaking: ({ domains, at }: { domains: readonly string[]; at: number }) =>
      write(() => audits.noteTaking(domains, at)),
    noteNotTaking: ({ domain, range }: { domain: string; range: Range }) =>
      write(() => audits.noteNotTaking(domain, range)),
    loadAudit: (domain: string) => audits.load(domain),
    requestBackfill: ({ at, ...request }: BackfillRequest & { at: number }) =>
      write(() => backfills.request(request, at)),
    nextBackfill: (domain: string) => backfills.next(domain),
    listBackfills: () => backfills.list(),
    cancelBackfill: ({ id, at }: { id: number; at: number }) =>
      write(() => backfills.cancel(id, at)),

    logRange: () => search.range(),
    findEvents(query: EventQuery) {
      const { events, ...page } = search.find(query)
      return { ...packStored(events), ...page }
    },
    findJson: (query: EventQuery) => jsonPage(search.find(query)),
    findFrames: ({ query, wanted }: { query: EventQuery; wanted: readonly FramesWanted[] }) =>
      framesPage(search.find(query), wanted),
    findEventAt({ id, seq }: { id: string; seq: number }) {
      const event = search.findAt(id, seq)
      return event && packStored([event])
    },
    findEventStep({ id, from }: { id: string; from: IndexPosition | null }) {
      const step = search.findById(id, from)
      return 'goOn' in step ? step : { found: step.found && packStored([step.found]) }
    },
    findStreams: (query: StreamQuery) => streamSearch.find(query),
    fillStreams: (limit: number) => timed(() => ({ isMore: streams.fill(limit) })),

    ...createCopying(db, write),

    /** Takes room as an event would, gives it back, and syncs the disk. */
    probe(): void {
      write(() => {
        insertProbe.run(PROBE_BYTES)
        deleteProbe.run()
      })
    },

    /** The value of a pragma on this connection, after it was set where `statement` sets one. */
    pragma: (statement: string) =>
      Object.values(db.prepare(`pragma ${statement}`).get() ?? {})[0] ?? null,

    /**
     * Copies the write-ahead log into the database and empties it, then closes. A store that was
     * deleted meanwhile is written to its path once more, with all that was acknowledged.
     */
    close(): void {
      try {
        if (!file.readOnly) {
          db.exec('pragma wal_checkpoint(truncate)')
          inUse.saveDeleted(db)
        }
      } finally {
        db.close()
      }
    },
  }

  /** A transaction that counts only if the file has its name when it is on disk. */
  function write<T>(work: () => T): T {
    return inUse.checkedFor(() => transact(db, work))
  }

  function taking<T extends object>(work: () => T): T & { seconds: number } {
    const start = performance.now()
    return { ...work(), seconds: (performance.now() - start) / 1000 }
  }

  function timed<T extends object>(work: () => T): T & { seconds: number } {
    try {
      return taking(() => write(work))
    } catch (error) {
      // What it wrote of streams went with the transaction.
      streams.forget()
      throw error
    }
  }
}
