// Streams beside a log whose writer is killed, or whose tables fail.
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openStore, startChild, temporaryFolder } from '../../../support/store/store-fixtures.ts'
import { until } from '../../../support/until.ts'
import { ALL, countedFrom, rowsOf, START, shot, shown } from './counted-log.ts'

test('after kill -9 they are exactly what the log says, for one who looks and for the next start', async () => {
  const path = join(temporaryFolder(), 'snaphook.db')
  const child = startChild('shots', path)
  const mark = `select value from counters where name = 'streams_counted'`
  // In the middle: some of it is in the tables, some is not.
  await until('streams are written', () => {
    if (child.lines.length < 300) return false
    const db = new DatabaseSync(path, { readOnly: true })
    const written = Number(db.prepare(mark).get()?.value)
    db.close()
    return written > 0
  })
  const soFar = child.lines.length
  await until('more is appended', () => child.lines.length > soFar + 50)
  child.process.kill('SIGKILL')
  expect(await child.ended).toBe('SIGKILL')

  const dead = new DatabaseSync(path, { readOnly: true })
  const left = rowsOf(dead)
  expect(Number(dead.prepare(mark).get()?.value)).toBeLessThan(left.length)
  dead.close()
  expect(left.length).toBeGreaterThanOrEqual(child.lines.length)
  const query = { ...ALL, limit: 100, now: START }
  const looking = await openStore(path, { readOnly: true })
  expect(shown((await looking.findStreams(query)).streams)).toEqual(countedFrom(left))
  await looking.close()

  const service = await openStore(path)
  const event = shot(1, 's1')
  const { seq } = await service.append(event)
  const all = [...left, { ...event, seq }]
  expect(shown((await service.findStreams(query)).streams)).toEqual(countedFrom(all))
  const step = { anyBefore: event.receivedAt + 1, deliveredBefore: 0, maxBytes: 1e12, sinks: [] }
  const pruned = await service.prune({ ...step, limit: 100, at: event.receivedAt })
  expect(pruned.removed).toBe(100)
  while ((await service.prune({ ...step, limit: 10_000, at: event.receivedAt })).isMore);
  expect(await service.stats()).toMatchObject({ events: 0 })
  expect(shown((await service.findStreams(query)).streams)).toEqual(countedFrom(all))
})

test('a fault while they are counted refuses no event, and is made up for', async () => {
  const path = join(temporaryFolder(), 'snaphook.db')
  const store = await openStore(path)
  await store.append(shot(1, 'a'))
  const other = new DatabaseSync(path)
  other.exec('alter table streams rename to elsewhere')
  // A stream that is not remembered is looked for.
  expect(await store.append(shot(2, 'b'))).toEqual({ seq: 2, duplicate: false })
  other.exec('alter table elsewhere rename to streams')
  other.close()
  expect(await store.append(shot(3, 'b'))).toEqual({ seq: 3, duplicate: false })
  const { streams } = await store.findStreams({ ...ALL, limit: 10, now: START })
  expect(streams.map(({ stream, events }) => [stream, events])).toEqual([
    ['a', 1],
    ['b', 2],
  ])
})
