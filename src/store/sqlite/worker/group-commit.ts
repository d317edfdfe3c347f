// Writes all that waits in one transaction: the disk is synced once for the group, and nobody is
// answered before that. What is wrong with one write does not touch its neighbours; what is wrong
// with the store fails the group, and leaves the connection fit for the next one.
import type { DatabaseSync } from 'node:sqlite'
import type { NewEvent } from '../../../core/events/snapshot-event.ts'
import { type Fault, faultOf, isStatementError } from '../faults.ts'
import {
  type Batch,
  type Committed,
  type Sighting,
  unpackEvents,
  unpackSightings,
  type Write,
} from '../messages.ts'
import type { SqlStreams } from '../streams/streams.ts'
import type { SqlAudits } from '../tables/audits.ts'
import type { SqlBackfills } from '../tables/backfills.ts'
import type { SqlCursors } from '../tables/cursors.ts'
import type { SqlDeadLetters } from '../tables/dead-letters.ts'
import type { SqlEventLog } from '../tables/event-log.ts'
import type { SqlReceivingTime } from '../tables/receiving-time.ts'
import type { SqlRings } from '../tables/rings.ts'
import type { SqlTallies } from '../tables/tallies.ts'
import type { FileInUse } from './file-in-use.ts'

type Tables = {
  readonly log: SqlEventLog
  readonly rings: SqlRings
  readonly streams: SqlStreams
  readonly cursors: SqlCursors
  readonly deadLetters: SqlDeadLetters
  readonly receivingTime: SqlReceivingTime
  readonly tallies: SqlTallies
  readonly audits: SqlAudits
  readonly backfills: SqlBackfills
}
type Outcome = Omit<Committed, 'seconds'>

/** Commits a batch. It never throws: each part of the batch has its own answer. */
export function createGroupCommit(
  db: DatabaseSync,
  deps: {
    readonly tables: Tables
    readonly path: string
    /** Throws where the file has lost its name: what was committed then is not kept. */
    readonly checkedFor: FileInUse['checkedFor']
  },
): (batch: Batch) => Committed {
  const { tables, path, checkedFor } = deps
  const { log, rings, streams, cursors, deadLetters, receivingTime, tallies, audits, backfills } =
    tables

  return ({ events: columns, writes }) => {
    const start = performance.now()
    const events = unpackEvents(columns)
    const outcome = commitOrFail(events, writes)
    // The disk has them: what they say of streams is written some commits later.
    noteStreams(events, unpackSightings(columns), outcome)
    return { seconds: (performance.now() - start) / 1000, ...outcome }
  }

  function commitOrFail(events: readonly NewEvent[], writes: readonly Write[]): Outcome {
    // Beside events only: where the log takes no more, cursors are to go on.
    const areStreamsDue = events.length > 0 && streams.isDue()
    try {
      return checkedFor(() =>
        transact(db, () => {
          attempt(() => tallies.noteEvents(events))
          const appended = appendAll(events)
          if (areStreamsDue) attempt(writeStreams)
          return { ...appended, writes: writes.map((write) => attempt(() => apply(write))) }
        }),
      )
    } catch (error) {
      if (areStreamsDue) streams.forget()
      const fault = faultOf(error, path)
      const failed = {
        seqs: events.map(() => fault),
        duplicates: events.map(() => false),
        writes: writes.map(() => fault),
      }
      // Cursors go on while the log takes no more events: else a sink gets its batch again and
      // again, and the room that delivered events take is never given back.
      const small = writes.filter(({ kind }) => kind !== 'fill')
      const hasEvents = events.length > 0 || small.length < writes.length
      if (!hasEvents || small.length === 0) return failed
      const rest = commitOrFail([], small).writes.values()
      const answers = writes.map(({ kind }) => (kind === 'fill' ? fault : rest.next().value))
      return { ...failed, writes: answers as Outcome['writes'] }
    }
  }

  function appendAll(events: readonly NewEvent[]): Pick<Outcome, 'seqs' | 'duplicates'> {
    const seqs: (number | Fault)[] = []
    const duplicates: boolean[] = []
    if (events.length === 0) return { seqs, duplicates }
    const group = log.group()
    for (const event of events) {
      const answer = attempt(() => group.append(event))
      const isKept = 'seq' in answer
      seqs.push(isKept ? answer.seq : answer)
      duplicates.push(isKept && answer.duplicate)
    }
    group.end()
    return { seqs, duplicates }
  }

  function writeStreams(): void {
    try {
      atomically(db, streams.write)
    } catch (error) {
      streams.forget()
      throw error
    }
  }

  /** What is kept is kept: a fault here costs no more than counting from the log once. */
  function noteStreams(
    events: readonly NewEvent[],
    sightings: readonly (Sighting | undefined)[],
    { seqs, duplicates }: Outcome,
  ): void {
    try {
      for (const [row, event] of events.entries()) {
        const seq = seqs[row]
        if (typeof seq === 'number' && !duplicates[row]) streams.note(event, seq, sightings[row])
      }
    } catch {
      streams.forget()
    }
  }

  function attempt<T>(write: () => T): T | Fault {
    try {
      return write()
    } catch (error) {
      if (db.isTransaction && isStatementError(error)) return faultOf(error, path)
      throw error
    }
  }

  function apply(write: Write): number | null {
    switch (write.kind) {
      case 'ring':
        return rings.save(write.domain, write.content, write.revision)
      case 'cursor':
        atomically(db, () => {
          for (const each of write.rejected ?? []) deadLetters.add(write.sink, each, write.at)
          cursors.advance(write.sink, write.seq, write.at)
        })
        return null
      case 'dead_letters':
        return deadLetters.change(write.change)
      case 'receiving_time':
        receivingTime.add(write.seconds)
        return null
      case 'unsigned':
        tallies.addUnsigned(write.domain, write.count)
        return null
      case 'fill':
        return atomically(db, () => fill(write))
    }
  }

  /** Events that the audit has found, and how far it has come: both or neither. */
  function fill({ events, progress, at }: Extract<Write, { kind: 'fill' }>): number {
    // Called off between the question and the answer: nothing is filled any more.
    if (progress.kind === 'backfill' && backfills.find(progress.id)?.endedAt !== null) return 0
    const appended = unpackEvents(events).map((event) => log.append(event))
    const filled = appended.filter(({ duplicate }) => !duplicate).length
    if (progress.kind === 'audit') audits.advance(progress)
    else {
      backfills.advance(progress, { filled, at })
      const done = progress.isEnd ? backfills.find(progress.id) : null
      if (done !== null && done.stream === null) audits.closeGaps(done.domain, done)
    }
    return filled
  }
}

/** Runs `work` in a transaction. Some faults have SQLite roll back by itself, others leave it to us. */
export function transact<T>(db: DatabaseSync, work: () => T): T {
  db.exec('begin immediate')
  try {
    const result = work()
    db.exec('commit')
    return result
  } catch (error) {
    if (db.isTransaction) db.exec('rollback')
    throw error
  }
}

/** All of `work` or none of it, within a transaction that goes on either way. */
function atomically<T>(db: DatabaseSync, work: () => T): T {
  db.exec('savepoint one_write')
  try {
    return work()
  } catch (error) {
    // Gone with its transaction, where SQLite has rolled back by itself.
    if (db.isTransaction) db.exec('rollback to one_write')
    throw error
  } finally {
    if (db.isTransaction) db.exec('release one_write')
  }
}
