// How far the audit has come, when no callbacks were taken, and what was not filled, in SQL.
// Synchronous; the caller holds the transaction.
import type { DatabaseSync } from 'node:sqlite'
import { joinRanges, type Range } from '../../../core/audit/ranges.ts'
import type { AuditGap, AuditProgress, AuditRecord } from '../../../ports/audit.ts'

/** Notes of not taking that are closer than this are one. */
const JOIN_MS = 60_000
/** Ranges are needed until the audit has passed them, and a little longer for a look back. */
const KEEP_RANGES_MS = 24 * 3_600_000
/** Gaps that are remembered per domain; the oldest go. */
const MAX_GAPS = 100

export type SqlAudits = ReturnType<typeof createAudits>

export function createAudits(db: DatabaseSync) {
  const select = db.prepare(`
    select domain, since, audited_until as auditedUntil, taking_until as takingUntil,
      is_doubtful as isDoubtful
    from audits where domain = ?
  `)
  const selectNewest = db.prepare(`
    select max(taking_until) as stamp, (
      select received_at from events where origin = 'callback' order by seq desc limit 1
    ) as received
    from audits
  `)
  const begin = db.prepare(`
    insert into audits (domain, since, audited_until, taking_until) values (?1, ?2, ?2, ?2)
    on conflict (domain) do nothing
  `)
  const stamp = db.prepare(`
    update audits set taking_until = ? where domain = ? and taking_until < ?
  `)
  const advance = db.prepare(`
    update audits set audited_until = max(audited_until, ?), is_doubtful = ? where domain = ?
  `)
  const selectRanges = db.prepare(`
    select from_at as "from", until_at as until from audit_not_taking
    where domain = ? order by from_at
  `)
  const insertRange = db.prepare(`
    insert into audit_not_taking (domain, from_at, until_at) values (?1, ?2, ?3)
    on conflict (domain, from_at) do update set until_at = max(until_at, excluded.until_at)
  `)
  const clearRanges = db.prepare('delete from audit_not_taking where domain = ?')
  const forgetRanges = db.prepare(`
    delete from audit_not_taking where domain = ? and until_at < ?
  `)
  const selectGaps = db.prepare(`
    select from_at as "from", until_at as until, reason, missed from audit_gaps
    where domain = ? order by from_at desc limit ${MAX_GAPS}
  `)
  const extendGap = db.prepare(`
    update audit_gaps set until_at = ?, missed = missed + ?
    where domain = ? and reason = ? and until_at = ?
  `)
  const insertGap = db.prepare(`
    insert into audit_gaps (domain, from_at, until_at, reason, missed) values (?, ?, ?, ?, ?)
    on conflict (domain, from_at, reason) do update
      set until_at = excluded.until_at, missed = excluded.missed
  `)
  const closeGaps = db.prepare(`
    delete from audit_gaps where domain = ? and from_at >= ? and until_at <= ?
  `)
  const forgetGaps = db.prepare(`
    delete from audit_gaps where domain = ?1 and from_at not in (
      select from_at from audit_gaps where domain = ?1 order by from_at desc limit ${MAX_GAPS}
    )
  `)

  function noteRange(domain: string, { from, until }: Range): void {
    if (until <= from) return
    insertRange.run(domain, from, until)
    const all = selectRanges.all(domain) as Range[]
    const joined = joinRanges(all, JOIN_MS)
    if (joined.length === all.length) return
    clearRanges.run(domain)
    for (const range of joined) insertRange.run(domain, range.from, range.until)
  }

  return {
    beginTaking(domains: readonly string[], at: number): void {
      const newest = selectNewest.get() as { stamp: number | null; received: number | null }
      for (const domain of domains) {
        const known = select.get(domain) as { takingUntil: number } | undefined
        if (known !== undefined) {
          // An event proves that the domains of that run were served; others were not in it.
          const isOfLastRun = known.takingUntil === newest.stamp
          const last = isOfLastRun
            ? Math.max(known.takingUntil, Math.min(at, newest.received ?? 0))
            : known.takingUntil
          noteRange(domain, { from: last, until: at })
        }
        begin.run(domain, at)
        stamp.run(at, domain, at)
      }
    },

    noteTaking(domains: readonly string[], at: number): void {
      for (const domain of domains) stamp.run(at, domain, at)
    },

    noteNotTaking: noteRange,

    load(domain: string): AuditRecord | null {
      const row = select.get(domain)
      if (row === undefined) return null
      return {
        domain,
        since: row.since as number,
        auditedUntil: row.auditedUntil as number,
        isDoubtful: row.isDoubtful === 1,
        notTaking: selectRanges.all(domain).map((range) => ({ ...range }) as Range),
        gaps: selectGaps.all(domain).map((gap) => ({ ...gap }) as AuditGap),
      }
    },

    advance({ domain, auditedUntil, isDoubtful, gap }: Extract<AuditProgress, { kind: 'audit' }>) {
      advance.run(auditedUntil, isDoubtful ? 1 : 0, domain)
      forgetRanges.run(domain, auditedUntil - KEEP_RANGES_MS)
      if (gap === null) return
      const { from, until, reason, missed } = gap
      const extended = extendGap.run(until, missed, domain, reason, from)
      if (Number(extended.changes) === 0) insertGap.run(domain, from, until, reason, missed)
      forgetGaps.run(domain)
    },

    /** Forgets the gaps that lie in a range which was filled. */
    closeGaps: (domain: string, { from, until }: Range) => closeGaps.run(domain, from, until),
  }
}
