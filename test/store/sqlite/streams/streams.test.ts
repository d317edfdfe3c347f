// Streams are counted from the log and written some commits later: whoever reads sees them as of the
// last event all the same, whatever ended in between.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { understand } from '../../../../src/core/events/callback.ts'
import { createStreamSearch } from '../../../../src/store/sqlite/streams/stream-search.ts'
import { createStreams } from '../../../../src/store/sqlite/streams/streams.ts'
import { createEventLog } from '../../../../src/store/sqlite/tables/event-log.ts'
import { ALL, countedFrom, database, type LogRow, START, shot, shown } from './counted-log.ts'

/** A database with streams beside its log, one of which may end at any moment. */
function world() {
  const db = database()
  const log = createEventLog(db)
  const search = createStreamSearch(db)
  const all: LogRow[] = []
  let streams = createStreams(db)
  let n = 0
  const inTransaction = (work: () => void, end: 'commit' | 'rollback' = 'commit') => {
    db.exec('begin')
    work()
    db.exec(end)
  }
  return {
    all,
    append(stream: string, late: number, isTold: boolean): void {
      const event = shot(n + 1 - late, stream, START + ++n * 1_000)
      const { seq, duplicate } = log.append(event)
      if (duplicate) return
      all.push({ ...event, seq })
      // Somebody else may have appended it: then the log alone tells.
      if (isTold) streams.note(event, seq, understand(event.body, event.domain, event.receivedAt))
    },
    write: () => inTransaction(streams.write),
    crash() {
      streams = createStreams(db)
    },
    rollBack() {
      inTransaction(streams.write, 'rollback')
      streams.forget()
    },
    prune(seq: number) {
      inTransaction(() => {
        streams.noteBeforeRemoval(seq)
        db.prepare('delete from events where seq <= ?').run(seq)
      })
    },
    found: () => search.find({ ...ALL, limit: 100, now: START }).streams,
  }
}

const action = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      stream: fc.constantFrom('a', 'b', 'c', 'd\u0007', '猫', ''),
      late: fc.constantFrom(0, 0, 0, 1, 5),
      isTold: fc.constantFrom(true, true, true, true, false),
    }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('prune' as const), share: fc.nat(100) }) },
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constantFrom(
        'write' as const,
        'crash' as const,
        'rollBack' as const,
        'read' as const,
      ),
    }),
  },
)

test('are what the log says, whatever is written, lost, rolled back or pruned in between', () => {
  fc.assert(
    fc.property(fc.array(action, { minLength: 5, maxLength: 120 }), (actions) => {
      const it = world()
      for (const each of actions) {
        if (each.kind === 'append') it.append(each.stream, each.late, each.isTold)
        else if (each.kind === 'prune') it.prune(Math.floor((it.all.length * each.share) / 100))
        else if (each.kind === 'read') it.found()
        else it[each.kind]()
      }
      const plain = countedFrom(it.all).map(({ name, ...rest }) => ({
        name: name.replace('\u0007', '\ufffd'),
        ...rest,
      }))
      expect(shown(it.found())).toEqual(plain)
      for (const { latest } of it.found()) {
        const kept = it.all[latest.seq - 1]
        expect(Buffer.from(kept?.body ?? []).toString()).toContain(`"${latest.object}"`)
        expect(latest.receivedAt).toBe(kept?.receivedAt)
      }
    }),
    { numRuns: 150 },
  )
})

test('at the bound the longest silent streams go', () => {
  const db = database()
  const log = createEventLog(db)
  const streams = createStreams(db, 20)
  for (let n = 1; n <= 30; n++) {
    const event = shot(n, `s${n}`)
    streams.note(event, log.append(event).seq)
    if (n % 7 === 0) streams.write()
  }
  streams.write()
  const { streams: left } = createStreamSearch(db).find({
    ...ALL,
    order: 'stalest',
    limit: 100,
    now: START,
  })
  expect(left.length).toBeLessThanOrEqual(20)
  expect(left.at(-1)?.stream).toBe('s30')
  expect(left.map(({ stream }) => stream)).not.toContain('s1')
})
