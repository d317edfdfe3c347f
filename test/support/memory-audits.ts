// The audit's part of the store in memory.
import { joinRanges, type Range } from '../../src/core/audit/ranges.ts'
import type { NewEvent, StoredEvent } from '../../src/core/events/snapshot-event.ts'
import type { AuditGap, AuditRecord, AuditStore, Backfill } from '../../src/ports/audit.ts'
import type { Appended } from '../../src/ports/store.ts'

type Kept = Pick<AuditRecord, 'domain' | 'since'> & {
  auditedUntil: number
  isDoubtful: boolean
  takingUntil: number
  notTaking: Range[]
  gaps: AuditGap[]
}
type Row = { -readonly [Name in keyof Backfill]: Backfill[Name] }

const JOIN_MS = 60_000
const KEEP_RANGES_MS = 24 * 3_600_000

/** `check` throws while the store fails; `events` and `append` are the log's. */
export function memoryAudits(log: {
  check(): void
  events: readonly StoredEvent[]
  append(event: NewEvent): Appended
}): AuditStore {
  const { check, events, append } = log
  const records = new Map<string, Kept>()
  const backfills: Row[] = []
  const note = (record: Kept, range: Range) => {
    record.notTaking = joinRanges([...record.notTaking, range], JOIN_MS)
  }
  return {
    async beginTaking(domains, at) {
      check()
      const newest = Math.max(...[...records.values()].map(({ takingUntil }) => takingUntil))
      const received = events.findLast(({ origin }) => origin === 'callback')?.receivedAt ?? 0
      for (const domain of domains) {
        const record = records.get(domain)
        if (record === undefined) {
          records.set(domain, {
            ...{ domain, since: at, auditedUntil: at, takingUntil: at },
            ...{ isDoubtful: false, notTaking: [], gaps: [] },
          })
          continue
        }
        const isOfLastRun = record.takingUntil === newest
        const last = isOfLastRun ? Math.max(newest, Math.min(at, received)) : record.takingUntil
        note(record, { from: last, until: at })
        record.takingUntil = Math.max(record.takingUntil, at)
      }
    },
    async noteTaking(domains, at) {
      check()
      for (const domain of domains) {
        const record = records.get(domain)
        if (record) record.takingUntil = Math.max(record.takingUntil, at)
      }
    },
    async noteNotTaking(domain, range) {
      check()
      const record = records.get(domain)
      if (record) note(record, range)
    },
    async loadAudit(domain) {
      check()
      const record = records.get(domain)
      if (record === undefined) return null
      const { takingUntil: _, gaps, ...rest } = record
      const latest = gaps.toSorted((a, b) => b.from - a.from)
      return { ...rest, notTaking: [...record.notTaking], gaps: latest }
    },
    async readBetween(domain, { from, until }, limit, after) {
      check()
      const isAfter = (event: StoredEvent) =>
        after === null ||
        event.occurredAt > after.occurredAt ||
        (event.occurredAt === after.occurredAt && event.id > after.id)
      return events
        .filter((event) => event.domain === domain && isAfter(event))
        .filter(({ occurredAt }) => occurredAt >= from && occurredAt < until)
        .toSorted((a, b) => a.occurredAt - b.occurredAt || (a.id < b.id ? -1 : 1))
        .slice(0, limit)
    },
    async fill(found, progress) {
      check()
      const row = backfills.find((it) => progress.kind === 'backfill' && it.id === progress.id)
      if (row !== undefined && row.endedAt !== null) return 0
      const filled = found.filter((event) => !append(event).duplicate).length
      if (progress.kind === 'backfill') {
        if (row === undefined) return filled
        row.doneUntil = progress.doneUntil
        row.listed += progress.listed
        row.missed += progress.missed
        row.filled += filled
        row.problem = progress.problem
        row.endedAt = progress.isEnd ? 1 : null
        const record = records.get(row.domain)
        if (progress.isEnd && row.stream === null && record !== undefined) {
          record.gaps = record.gaps.filter(
            ({ from, until }) => from < row.from || until > row.until,
          )
        }
        return filled
      }
      const record = records.get(progress.domain)
      if (record === undefined) return filled
      const { auditedUntil, isDoubtful, gap } = progress
      record.auditedUntil = Math.max(record.auditedUntil, auditedUntil)
      record.isDoubtful = isDoubtful
      record.notTaking = record.notTaking.filter(
        ({ until }) => until >= auditedUntil - KEEP_RANGES_MS,
      )
      if (gap === null) return filled
      const index = record.gaps.findIndex(
        ({ until, reason }) => until === gap.from && reason === gap.reason,
      )
      const before = record.gaps[index]
      if (before === undefined) record.gaps.push(gap)
      else {
        const missed = before.missed + gap.missed
        record.gaps[index] = { ...before, until: gap.until, missed }
      }
      return filled
    },
    async requestBackfill(request) {
      check()
      const id = backfills.length + 1
      backfills.push({
        ...request,
        ...{ id, requestedAt: 0, doneUntil: request.from, listed: 0, missed: 0, filled: 0 },
        ...{ endedAt: null, cancelled: false, problem: null },
      })
      return id
    },
    async nextBackfill(domain) {
      check()
      const row = backfills.find((it) => it.domain === domain && it.endedAt === null)
      return row ? { ...row } : null
    },
    async listBackfills() {
      check()
      const open = (row: Row) => Number(row.endedAt === null)
      return backfills
        .toSorted((a, b) => open(b) - open(a) || b.id - a.id)
        .slice(0, 20)
        .map((row) => ({ ...row }))
    },
    async cancelBackfill(id) {
      check()
      const row = backfills.find((it) => it.id === id && it.endedAt === null)
      if (row === undefined) return false
      row.endedAt = 1
      row.cancelled = true
      return true
    },
  }
}
