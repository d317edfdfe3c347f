// How far the audit has come, when no callbacks were taken, and what was not filled. Events that it
// has found are appended as any others are, and progress after them: a crash between the two has the
// same shots found again, and they are the same events.

import { createKeptColumns, createKeptShots } from '../../../core/audit/kept-columns.ts'
import { joinRanges, type Range } from '../../../core/audit/ranges.ts'
import type { NewEvent, StoredEvent } from '../../../core/events/snapshot-event.ts'
import type { PostgresLocation } from '../../../core/store-place.ts'
import type {
  AuditGap,
  AuditProgress,
  AuditStore,
  EventPlace,
  KeptQuery,
} from '../../../ports/audit.ts'
import type { EventLog } from '../../../ports/store.ts'
import type { Link } from '../connection/link.ts'
import { inSchema, syncOf } from '../connection/location.ts'
import { type Row, type Session, transact } from '../connection/session.ts'
import { EVENT_COLUMNS, eventOf } from '../queries/event-log.ts'
import { createBackfills } from './backfills.ts'

/** Notes of not taking that are closer than this are one. */
const JOIN_MS = 60_000
const KEEP_RANGES_MS = 24 * 3_600_000
/** Gaps that are shown per domain. */
const MAX_GAPS = 100
const DEADLINE_MS = 5_000
const READ_DEADLINE_MS = 10_000
/** The bodies of so many events are understood in a few ms. */
const WALK_EVENTS = 256

export function createAudits(
  { reading, writing, searching }: { reading: Link; writing: Link; searching: Link },
  location: PostgresLocation,
  { now, append }: { now: () => number; append: EventLog['append'] },
): AuditStore {
  const q = (statement: string) => inSchema(location.schema, statement)
  const sync = syncOf(location)
  const backfills = createBackfills({ reading, writing }, location, now)
  const between = q(`
    select ${EVENT_COLUMNS} from @.events e
    where (e.occurred_at, e.id) > ($1::bigint, decode($2, 'hex')) and e.occurred_at < $3
      and e.domain = $4 and e.seq > (select floor_seq from @.log_state)
    order by e.occurred_at, e.id limit ${WALK_EVENTS}
  `)
  const select = q(`
    select since::float8 as since, audited_until::float8 as "auditedUntil",
      is_doubtful as "isDoubtful"
    from @.audits where domain = $1
  `)
  const selectRanges = q(`
    select from_at::float8 as "from", until_at::float8 as until from @.audit_not_taking
    where domain = $1 order by from_at
  `)
  const selectGaps = q(`
    select from_at::float8 as "from", until_at::float8 as until, reason, missed::float8 as missed
    from @.audit_gaps where domain = $1 order by from_at desc limit ${MAX_GAPS}
  `)
  const lastTaken = q(`
    select domain, greatest(taking_until, case
      when taking_until = (select max(taking_until) from @.audits) then least($1::bigint, (
        select received_at from @.events where origin = 'callback' order by seq desc limit 1
      )) end)::float8 as last
    from @.audits where domain = any($2)
  `)
  const begin = q(`
    insert into @.audits as a (domain, since, audited_until, taking_until)
    select domain, $1, $1, $1 from unnest($2::text[]) as d (domain)
    on conflict (domain) do update set taking_until = greatest(a.taking_until, $1)
  `)
  const stamp = q(`
    update @.audits set taking_until = $1 where domain = any($2) and taking_until < $1
  `)
  const insertRange = q(`
    insert into @.audit_not_taking as r (domain, from_at, until_at) values ($1, $2, $3)
    on conflict (domain, from_at) do update set until_at = greatest(r.until_at, excluded.until_at)
  `)
  const clearRanges = q('delete from @.audit_not_taking where domain = $1')
  const forgetRanges = q('delete from @.audit_not_taking where domain = $1 and until_at < $2')
  const advance = q(`
    update @.audits set audited_until = greatest(audited_until, $2), is_doubtful = $3
    where domain = $1
  `)
  const extendGap = q(`
    update @.audit_gaps set until_at = $4, missed = missed + $5
    where domain = $1 and reason = $2 and until_at = $3 returning 1
  `)
  const insertGap = q(`
    insert into @.audit_gaps (domain, reason, from_at, until_at, missed)
    values ($1, $2, $3, $4, $5)
    on conflict (domain, from_at, reason) do update
      set until_at = excluded.until_at, missed = excluded.missed
  `)
  const closeGaps = q(`
    delete from @.audit_gaps where domain = $1 and from_at >= $2 and until_at <= $3
  `)

  const change = <T>(work: (session: Session) => Promise<T>) =>
    writing.run((session) => transact(session, sync, () => work(session)), DEADLINE_MS)

  async function noteRange(session: Session, domain: string, { from, until }: Range) {
    if (until <= from) return
    await session.rows(insertRange, [domain, from, until])
    const all = (await session.rows(selectRanges, [domain])).map(rangeOf)
    const joined = joinRanges(all, JOIN_MS)
    if (joined.length === all.length) return
    await session.rows(clearRanges, [domain])
    for (const each of joined) await session.rows(insertRange, [domain, each.from, each.until])
  }

  async function moveOn(session: Session, progress: Extract<AuditProgress, { kind: 'audit' }>) {
    const { domain, auditedUntil, isDoubtful, gap } = progress
    await session.rows(advance, [domain, auditedUntil, isDoubtful])
    await session.rows(forgetRanges, [domain, auditedUntil - KEEP_RANGES_MS])
    if (gap === null) return
    const { from, until, reason, missed } = gap
    const values = [domain, reason, from, until, missed]
    const extended = await session.rows(extendGap, values)
    if (extended.length === 0) await session.rows(insertGap, values)
  }

  /** Shows events of a domain that occurred in a range, by time. */
  async function walk(
    { domain, range, after }: KeptQuery,
    visit: (event: StoredEvent) => void,
  ): Promise<{ next: EventPlace | null; seconds: number }> {
    const start = performance.now()
    const { occurredAt, id } = after ?? { occurredAt: range.from, id: '' }
    const values = [occurredAt, id, range.until, domain]
    // On the connection of searches: no delivery waits behind it.
    const rows = await searching.run((session) => session.rows(between, values), READ_DEADLINE_MS)
    const events = rows.map(eventOf)
    events.forEach(visit)
    const last = events.length === WALK_EVENTS ? events.at(-1) : undefined
    return {
      next: last === undefined ? null : { occurredAt: last.occurredAt, id: last.id },
      seconds: (performance.now() - start) / 1_000,
    }
  }

  async function keep(events: readonly NewEvent[]): Promise<number> {
    const kept = await Promise.all(events.map((event) => append(event)))
    return kept.filter(({ duplicate }) => !duplicate).length
  }

  return {
    ...backfills.port,
    async beginTaking(domains, at) {
      await change(async (session) => {
        for (const { domain, last } of await session.rows(lastTaken, [at, domains])) {
          await noteRange(session, String(domain), { from: Number(last), until: at })
        }
        await session.rows(begin, [at, domains])
      })
    },
    async noteTaking(domains, at) {
      await writing.run((session) => session.rows(stamp, [at, domains]), DEADLINE_MS)
    },
    async noteNotTaking(domain, range) {
      await change((session) => noteRange(session, domain, range))
    },
    loadAudit: (domain) =>
      reading.run(async (session) => {
        const [row] = await session.rows(select, [domain])
        if (row === undefined) return null
        return {
          domain,
          since: Number(row.since),
          auditedUntil: Number(row.auditedUntil),
          isDoubtful: row.isDoubtful === true,
          notTaking: (await session.rows(selectRanges, [domain])).map(rangeOf),
          gaps: (await session.rows(selectGaps, [domain])) as unknown as AuditGap[],
        }
      }, DEADLINE_MS),
    async surveyKept(query) {
      const gathered = createKeptColumns()
      const step = await walk(query, gathered.add)
      return { ...step, columns: gathered.columns() }
    },
    async readKept({ except, ...query }) {
      const { shots, add } = createKeptShots(except)
      return { ...(await walk(query, add)), shots }
    },
    async fill(events, progress) {
      if (progress.kind === 'backfill' && !(await backfills.isOpen(progress.id))) return 0
      const filled = await keep(events)
      await change(async (session) => {
        if (progress.kind === 'audit') {
          await moveOn(session, progress)
          return
        }
        const ended = await backfills.advance(session, progress, filled)
        if (ended !== null) await session.rows(closeGaps, [ended.domain, ended.from, ended.until])
      })
      return filled
    },
  }
}

function rangeOf({ from, until }: Row): Range {
  return { from: Number(from), until: Number(until) }
}
