// A log of shots, and what streams have to be for it, counted the plain way.
import { DatabaseSync } from 'node:sqlite'
import { understand } from '../../../../src/core/events/callback.ts'
import type { NewEvent } from '../../../../src/core/events/snapshot-event.ts'
import type { StreamSummary } from '../../../../src/ports/reading.ts'
import { MIGRATIONS } from '../../../../src/store/sqlite/worker/migrate.ts'
import { shotOf } from '../../../support/service/api-here.ts'

export const ALL = {
  domain: null,
  app: null,
  state: null,
  q: null,
  order: 'name',
  after: null,
} as const
export const START = Date.parse('2026-03-01T00:00:00Z')

type Shown = Pick<StreamSummary, 'events' | 'firstSeenAt' | 'intervalMs' | 'seenAt'> & {
  name: string
  seq: number
}
export type LogRow = { seq: number; domain: string; receivedAt: number; body: Uint8Array }

export function database(upTo = Number.POSITIVE_INFINITY) {
  const db = new DatabaseSync(':memory:')
  migrateFrom(db, 0, upTo)
  return db
}

export function migrateFrom(db: DatabaseSync, from: number, upTo = Number.POSITIVE_INFINITY): void {
  for (const { version, script } of MIGRATIONS) {
    if (version > from && version <= upTo) db.exec(script)
  }
}

export function shot(n: number, stream: string, receivedAt = START + n * 1_000): NewEvent {
  const fields = { AppName: 'live', StreamName: stream, OssObject: `o/${n}` }
  return shotOf({ ...fields, CreateTimestamp: START + n * 1_000 }, { receivedAt })
}

/** What the whole log says, counted the plain way. */
export function countedFrom(log: readonly LogRow[]): Shown[] {
  const byName = new Map<string, LogRow[]>()
  for (const row of log) {
    const { app, stream } = understand(row.body, row.domain, row.receivedAt)
    const name = `${row.domain} ${app} ${stream}`
    byName.set(name, [...(byName.get(name) ?? []), row])
  }
  const all = [...byName].map(([name, rows]) => {
    const received = rows.map(({ receivedAt }) => receivedAt)
    let latest = { seq: 0, at: Number.NEGATIVE_INFINITY }
    const gaps: number[] = []
    for (const { seq, body, domain, receivedAt } of rows) {
      const captured = understand(body, domain, receivedAt).capturedAt ?? receivedAt
      const at = Math.min(captured, receivedAt)
      if (at < latest.at) continue
      if (latest.seq > 0 && at - latest.at >= 250) gaps.push(at - latest.at)
      latest = { seq, at }
    }
    const last = gaps.slice(-8).sort((a, b) => a - b)
    return {
      name,
      events: rows.length,
      firstSeenAt: Math.min(...received),
      seenAt: Math.max(...received),
      seq: latest.seq,
      intervalMs: last.length < 2 ? null : (last[Math.floor((last.length - 1) / 2)] ?? null),
    }
  })
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export function shown(streams: readonly StreamSummary[]): Shown[] {
  const all = streams.map(({ domain, app, stream, latest, ...rest }) => {
    const { events, firstSeenAt, intervalMs, seenAt } = rest
    const name = `${domain} ${app} ${stream}`
    return { name, events, firstSeenAt, seenAt, seq: latest.seq, intervalMs }
  })
  return all.sort((a, b) => (a.name < b.name ? -1 : 1))
}

export const rowsOf = (db: DatabaseSync) =>
  db
    .prepare('select seq, domain, received_at as receivedAt, body from events order by seq')
    .all() as LogRow[]
