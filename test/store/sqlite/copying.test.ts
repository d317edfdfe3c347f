// What the store's thread does of a copy, in this one: every table by pages, and back into another file.
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { TABLES } from '../../../src/store/copied-tables.ts'
import { packStored, unpackStored } from '../../../src/store/sqlite/messages.ts'
import { openDatabase } from '../../../src/store/sqlite/worker/database.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'
import { dumpSqlite, liveOn } from '../../support/store/store-life.ts'

test('a file that is copied by small pages is equal, and opens only when that is complete', async () => {
  const folder = temporaryFolder()
  const [path, to] = [join(folder, 'from.db'), join(folder, 'to.db')]
  const store = await openStore(path)
  await liveOn(store, 500, {})
  await store.close()
  const source = openDatabase({ path, readOnly: false })
  const target = openDatabase({ path: to, readOnly: false, isForCopy: true })
  const survey = source.copySurvey()
  expect(survey).toMatchObject({ firstSeq: 101, newestSeq: 500, lastSeq: 500, copied: null })
  const empty = target.copySurvey()
  expect(empty).toMatchObject({ firstSeq: 1, newestSeq: 0, lastSeq: 0, receivingSeconds: 0 })

  const mark = { source: 'a store', withEvents: true, startedAt: 1, endedAt: null, doubles: 0 }
  target.copyBegin(mark)
  expect(target.copySurvey().copied).toEqual(mark)
  expect(() => openDatabase({ path: to, readOnly: true })).toThrow(/unfinished copy of a store/)
  const events = unpackStored(source.read({ after: 0, limit: 1_000 }))
  target.copyEvents(packStored(events))
  // What is there by its identity is noted, and left out.
  target.copyEvents(
    packStored(events.slice(0, 2).map((event) => ({ ...event, seq: event.seq - 100 }))),
  )
  for (const table of TABLES) {
    const rows = []
    for (let from: number | null = 0; from !== null; ) {
      const page: ReturnType<typeof source.copyRead> = source.copyRead({ table, from, limit: 7 })
      rows.push(...page.rows)
      from = page.next
    }
    expect([table, rows.length]).toEqual([table, survey.rows[table]])
    target.copyWrite({ table, rows })
    if (table === 'rings') target.copyClear()
  }
  target.copyTrim(survey.firstSeq)
  target.copyFinish({ lastSeq: 500, receivingSeconds: survey.receivingSeconds, at: 9 })
  expect(target.copySurvey()).toEqual({ ...survey, copied: { ...mark, endedAt: 9, doubles: 2 } })
  expect([...target.findStreams(STREAMS).streams]).toEqual([...source.findStreams(STREAMS).streams])
  source.close()
  target.close()
  expect(dumpSqlite(to)).toEqual(dumpSqlite(path))
  openDatabase({ path: to, readOnly: true }).close()
})

const STREAMS = {
  ...{ domain: null, app: null, state: null, q: null, after: null },
  ...{ order: 'name' as const, limit: 1_000, now: 0 },
}
