// A store with something in each of its tables, and all that it holds as text, to be compared.
import { createHash } from 'node:crypto'
import { DatabaseSync } from 'node:sqlite'
import type { StoredEvent } from '../../../src/core/events/snapshot-event.ts'
import { EMPTY_RING, type Ring } from '../../../src/core/keys/key-ring.ts'
import type { Reading, StreamQuery, StreamSummary } from '../../../src/ports/reading.ts'
import type { Store } from '../../../src/ports/store.ts'
import type { PostgresServer } from '../postgres/postgres-server.ts'
import { eventOf, range } from './store-events.ts'

const GONE = 100
const GROUP = 2_000
/** More letters than one page of them. */
const MANY = 1_200

/** A shot of a stream that has others, or of one that has none; every 97th is not understood. */
export function shotOf(n: number) {
  const body =
    n % 97 === 0
      ? `not json \0 ${n}`
      : JSON.stringify({
          AppName: `app${n % 3}`,
          StreamName: n % 4 === 0 ? `Once ${n}` : `Stream ${n % 40}`,
          OssBucket: 'bucket',
          OssObject: `${n}.jpg`,
          CreateTimestamp: eventOf(n).occurredAt,
        })
  return eventOf(n, { body: Buffer.from(body), origin: n % 50 === 0 ? 'audit' : 'callback' })
}

/** Fills a store with `count` events, letters for some of them, and whatever else a store can hold. */
export async function liveOn(
  store: Store & Reading,
  count: number,
  rings: Readonly<Record<string, Ring>>,
): Promise<void> {
  for (let from = 0; from < count; from += GROUP) {
    const group = range(Math.min(GROUP, count - from))
    await Promise.all(group.map((n) => store.append(shotOf(from + n))))
  }
  while ((await store.fillStreams(5_000)).isMore);
  for (const [domain, ring] of Object.entries(rings)) {
    await store.saveRing(domain, EMPTY_RING, 0)
    await store.saveRing(domain, ring, 1)
  }
  const dead = (events: readonly StoredEvent[]) =>
    events.map((event) => ({ event, reason: `no: ${event.seq} "é"`, attempts: 3 }))
  // The order of death is not that of the numbers.
  await store.advanceCursor(
    'hook',
    GONE + 310,
    dead((await store.read(GONE + 10, 300)).toReversed()),
  )
  await store.advanceCursor('other', GONE + 50, dead(await store.read(GONE, 50)))
  const many = await store.read(GONE, MANY)
  if (many.length === MANY) await store.advanceCursor('many', GONE + MANY, dead(many))
  await store.changeDeadLetters({ kind: 'request_retry', sink: 'other', seqs: [GONE + 7] })
  await store.advanceCursor('hook', count - 10)
  await store.advanceCursor('behind', 3)
  const at = eventOf(count).receivedAt
  await store.prune({
    ...{ deliveredBefore: 0, anyBefore: eventOf(GONE).receivedAt, limit: 1_000, sinks: ['hook'] },
    ...{ maxBytes: Number.MAX_SAFE_INTEGER, at },
  })
  await store.pruneLetters(2)
  const narrowed = { since: 5, until: at, domain: 'live.example.com', stream: 'app1/Stream 1' }
  const ended = await store.requestReplay({ sink: 'hook', ...narrowed })
  const step = { id: ended, seq: GONE + 3, delivered: 2, rejected: 1 }
  await store.advanceReplay({ ...step, isEnd: true })
  const all = { since: null, until: null, domain: null, stream: null }
  await store.requestReplay({ sink: 'hook', ...all })
  await store.advanceReplay({ ...step, id: ended + 1, isEnd: false })
  await store.addUnsigned('live.example.com', 7)
  await store.addReceivingTime(1234.5)
  const domains = ['live.example.com', 'quiet.example.com']
  await store.beginTaking(domains, at - 90_000)
  await store.beginTaking(domains, at)
  await store.noteNotTaking('quiet.example.com', { from: at + 5, until: at + 9 })
  const gap = { from: 1, until: 2, reason: 'doubtful' as const, missed: 4 }
  const audit = { kind: 'audit', domain: 'quiet.example.com', auditedUntil: at + 1 } as const
  await store.fill([], { ...audit, isDoubtful: true, gap })
  await store.requestBackfill({ domain: 'live.example.com', stream: null, from: 10, until: 20 })
  const second = { domain: 'live.example.com', stream: 'app1/x', from: 10, until: 20 }
  const id = await store.requestBackfill(second)
  const done = { listed: 3, missed: 2, isEnd: false, problem: 'no permission' }
  await store.fill([], { kind: 'backfill', id, doneUntil: 15, ...done })
}

/** By table: columns, those that are bytes in brackets, and by what to order. */
const TABLES: Readonly<Record<string, readonly [columns: string, order: string]>> = {
  events: ['seq [id] occurred_at domain origin received_at [body]', 'seq'],
  rings: ['domain revision content', 'domain'],
  tallies: ['domain last_callback_at unsigned', 'domain'],
  cursors: ['sink seq updated_at', 'sink'],
  expired: ['sink reason from_seq to_seq count expired_at', 'sink, reason, from_seq'],
  dead_letters: [
    'sink seq [id] occurred_at domain origin received_at [body] reason attempts died_at',
    'NUMBER',
  ],
  replays: [
    'id sink since until domain stream requested_at next_seq last_seq delivered ended_at',
    'id',
  ],
  audits: ['domain since audited_until taking_until', 'domain'],
  audit_not_taking: ['domain from_at until_at', 'domain, from_at'],
  audit_gaps: ['domain from_at until_at reason missed', 'domain, from_at, reason'],
  backfills: [
    'id domain stream from_at until_at requested_at done_until listed missed filled problem ended_at',
    'id',
  ],
}
const FLAGS = {
  dead_letters: 'retry_requested',
  audits: 'is_doubtful',
  replays: 'cancelled',
  backfills: 'cancelled',
} as const

export type Dump = Readonly<Record<string, readonly string[]>>

export function dumpSqlite(path: string): Dump {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    return dump((statement) => db.prepare(statement).all(), 'sqlite')
  } finally {
    db.close()
  }
}

export async function dumpPostgres(server: PostgresServer, schema: string): Promise<Dump> {
  const asked: Promise<void>[] = []
  const found: Record<string, readonly string[]> = {}
  dump((statement, table) => {
    asked.push(
      server.query(statement.replaceAll('@', `"${schema}".`)).then((rows) => {
        found[table] = linesOf(rows)
      }),
    )
    return []
  }, 'postgres')
  await Promise.all(asked)
  return found
}

function dump(
  ask: (statement: string, table: string) => Record<string, unknown>[],
  kind: 'sqlite' | 'postgres',
): Dump {
  const isSqlite = kind === 'sqlite'
  const hex = (name: string) => (isSqlite ? `lower(hex(${name}))` : `encode(${name}, 'hex')`)
  const own = isSqlite ? '' : '@'
  const statements = Object.entries(TABLES).map(([table, [columns, order]]) => {
    const flag = FLAGS[table as keyof typeof FLAGS]
    const picked = columns.split(' ').map((name, n) => {
      const bytes = /^\[(.*)\]$/.exec(name)?.[1]
      return `${bytes === undefined ? name : hex(bytes)} as c${n}`
    })
    if (flag !== undefined) picked.push(`${isSqlite ? flag : `${flag}::int`} as flag`)
    if (table === 'replays') picked.push(`${isSqlite ? 'refused' : 'rejected'} as rejected`)
    const text = (name: string) =>
      isSqlite || /seq|_at|id/.test(name) ? name : `${name} collate "C"`
    // What is below the floor goes with its partition.
    const kept =
      isSqlite || table !== 'events' ? '' : 'where seq > (select floor_seq from @log_state)'
    const by = order === 'NUMBER' ? (isSqlite ? 'rowid' : 'number') : order.split(', ').map(text)
    return [
      table,
      `select ${picked.join(', ')} from ${own}${table} ${kept} order by ${by}`,
    ] as const
  })
  const receiving = `select value from ${own}counters where name = 'receiving_seconds'`
  return Object.fromEntries(
    [...statements, ['receiving', receiving] as const].map(([table, statement]) => [
      table,
      linesOf(ask(statement, table)),
    ]),
  )
}

/** Rows as they begin, and the digest of all that they hold. */
function linesOf(rows: Record<string, unknown>[]): string[] {
  return rows.map((row) => {
    const all = JSON.stringify(
      Object.values(row).map((value) => (value === null ? null : String(value))),
    )
    return `${all.slice(0, 40)} ${createHash('sha256').update(all).digest('hex').slice(0, 16)}`
  })
}

/** Every stream as it is shown. */
export async function allStreams(store: Reading): Promise<StreamSummary[]> {
  const found: StreamSummary[] = []
  const every = { domain: null, app: null, state: null, q: null, order: 'name' as const }
  for (let after: StreamQuery['after'] = null; ; ) {
    const page = await store.findStreams({ ...every, after, limit: 50, now: 0 })
    found.push(...page.streams)
    if (page.next === null) return found
    after = page.next
  }
}
