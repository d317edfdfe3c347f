// What a log of many events costs against a small one, in rows and pages that the server touches:
// those are the same on any machine. The number is that of the list in docs/scaling.md; the same with
// millions of events, in time, is `npm run bench -- replicas growth`.
import { expect, test } from 'vitest'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import { inSchema } from '../../../src/store/postgres/connection/location.ts'
import {
  openPostgresStore,
  type PostgresStore,
} from '../../../src/store/postgres/postgres-store.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { catchUp, fillLog } from '../../support/postgres/long-log.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { eventOf, SECRET } from '../../support/store/store-events.ts'

const SMALL = 10_000
const LARGE = 120_000
/** Each is done so often, and by so many events. */
const TIMES = 10
const SIZE = 50

const server = postgresForFile()

type Touched = { readonly rows: number; readonly blocks: number }

test('30: what is done costs the same at 10 thousand events and at 120 thousand', async () => {
  const location = server().newLocation()
  await open(location).then((store) => store.close())
  await fillLog(server(), location, SMALL, SMALL)
  await catchUp(server(), location)
  const small = await costs(location, SMALL)
  await fillLog(server(), location, LARGE, SMALL)
  await catchUp(server(), location)
  const large = await costs(location, LARGE)
  for (const [work, { rows, blocks }] of large) {
    const before = small.get(work) as Touched
    // Twelve times the events: a level more of an index, a few partitions more, no more than that.
    expect.soft(rows, `rows of ${work}`).toBeLessThanOrEqual(1.5 * before.rows + 20)
    expect.soft(blocks, `blocks of ${work}`).toBeLessThanOrEqual(2 * before.blocks + 50)
  }
})

async function costs(location: PostgresLocation, count: number): Promise<Map<string, Touched>> {
  let next = count
  const works: Record<string, (store: PostgresStore, n: number) => Promise<unknown>> = {
    appends: (store) => Promise.all(Array.from({ length: SIZE }, () => store.append(fresh()))),
    pages: (store, n) => store.read(Math.floor((n / TIMES) * count), SIZE),
    'the last page': (store) => store.read(count, SIZE),
    pruning: (store) => store.prune({ ...ALL, at: Date.now() }),
    'what readiness asks': (store) => Promise.all([store.stats(), store.checkWritable()]),
    'a page by filter': (store) => store.findEvents({ ...ANY, limit: SIZE }),
    'a page by time': (store) => store.findEvents({ ...ANY, since: Date.now(), limit: SIZE }),
    streams: (store) => store.fillStreams(SIZE),
  }
  const fresh = () => ({ ...eventOf(++next), occurredAt: 1_700_000_000_000 + next })
  const touched = new Map<string, Touched>()
  for (const [name, work] of Object.entries(works)) {
    const before = await countOf(location)
    const store = await open(location)
    for (let n = 0; n < TIMES; n += 1) await work(store, n)
    // A session tells what it has done when it ends.
    await store.close()
    const after = await countOf(location)
    touched.set(name, { rows: after.rows - before.rows, blocks: after.blocks - before.blocks })
  }
  return touched
}

const ALL = { deliveredBefore: 9e15, anyBefore: 9e15, maxBytes: 9e15, sinks: [], limit: SIZE }
const ANY = {
  ...{ domain: null, app: null, stream: null, origin: null, since: null, until: null },
  flag: null,
  ...{ order: 'desc' as const, after: null },
}

function open(location: PostgresLocation): Promise<PostgresStore> {
  return openPostgresStore({ location, seals: createSeals([SECRET]), now: Date.now })
}

/** Of the log with its indexes, since the server began, as far as sessions have told. */
async function countOf({ schema }: PostgresLocation): Promise<Touched> {
  const [row] = await server().query(
    inSchema(
      schema,
      `select sum(t.seq_tup_read + coalesce(t.idx_tup_fetch, 0))::float8 as rows,
         sum(heap_blks_hit + heap_blks_read + idx_blks_hit + idx_blks_read)::float8 as blocks
       from pg_stat_user_tables t join pg_statio_user_tables io using (relid)
       where t.schemaname = $1 and t.relname like 'events_%'`,
    ),
    [schema],
  )
  return row as Touched
}
