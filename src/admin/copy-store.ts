// Copies a store into an empty one, of whatever kind either is, and goes on where it was interrupted.
// With the log, or without it: then the numbers go on after the last one of the source, and what it
// still has to deliver stays there.
import { ServiceError } from '../errors.ts'
import type { CopiedPage, CopiedTable, CopySource, CopySurvey, CopyTarget } from '../ports/copy.ts'

/** A batch is one transaction of the target. */
const BATCH_EVENTS = 4_000
const BATCH_ROWS = 500

/** What is known without the log; cursors too, which come last, since they go by the last number. */
const TABLES = ['rings', 'tallies', 'expired', 'dead_letters'] as const
/** What is about events of the log. */
const OF_THE_LOG = [
  'streams',
  'replays',
  'audits',
  'audit_not_taking',
  'audit_gaps',
  'backfills',
] as const

export type CopyProgress = {
  readonly what: CopiedTable | 'events'
  readonly done: number
  readonly total: number
}

export type CopyResult = {
  /** ISO 8601. */
  readonly endedAt: string
  /** It was complete before; nothing was done. */
  readonly isKnown: boolean
  /** Rows by table; `events` too, where the log was copied. */
  readonly copied: Readonly<Partial<Record<CopiedTable | 'events', number>>>
  /** Sinks whose events are not all delivered, and stay in the source: with how many. */
  readonly left: Readonly<Record<string, number>>
}

export async function copyStore(deps: {
  from: CopySource
  to: CopyTarget
  withEvents: boolean
  now(): number
  signal: AbortSignal
  onProgress(progress: CopyProgress): void
}): Promise<CopyResult> {
  const { from, to, withEvents, now, signal, onProgress } = deps
  const tables: readonly CopiedTable[] = withEvents ? [...OF_THE_LOG, ...TABLES] : TABLES
  const copied: Partial<Record<CopiedTable | 'events', number>> = {}

  await refuseServed(to)
  if (withEvents) await refuseServed(from)
  const found = await to.survey()
  if (found.copied?.endedAt != null && isSame(found.copied)) {
    const endedAt = new Date(found.copied.endedAt).toISOString()
    return { endedAt, isKnown: true, copied, left: {} }
  }
  if (withEvents) await from.countStreams()
  const source = await from.survey()
  await begin(source, found)
  await to.clear()
  if (withEvents) await copyEvents(source, found)
  for (const table of tables) await copyTable(table, source)
  // Beside a service the numbers have gone on; every letter is below the last one of now.
  const last = withEvents ? source : await from.survey()
  await copyTable('cursors', last)
  await to.trim(withEvents ? last.firstSeq : last.lastSeq + 1)
  await compare(last)
  await refuseServed(to)
  if (withEvents) await refuseServed(from)
  const { lastSeq, receivingSeconds } = last
  const at = now()
  await to.finish({ lastSeq, receivingSeconds, at })
  const endedAt = new Date(at).toISOString()
  return { endedAt, isKnown: false, copied, left: withEvents ? {} : await leftBehind(last) }

  function isSame(mark: { source: string; withEvents: boolean }): boolean {
    return mark.source === from.name && mark.withEvents === withEvents
  }

  async function begin({ firstSeq }: CopySurvey, target: CopySurvey): Promise<void> {
    const { copied: mark } = target
    if (mark !== null && mark.endedAt === null) {
      if (!isSame(mark)) {
        const how = mark.withEvents ? 'with --events' : 'without --events'
        throw refused(`holds an unfinished copy of ${mark.source}, ${how}: go on with that one`)
      }
      return goOn(target)
    }
    const isEmpty = Object.values(target.rows).every((rows) => rows === 0) && target.lastSeq === 0
    if (!isEmpty) throw refused('is not empty: name another one')
    await to.begin(
      { source: from.name, withEvents, startedAt: now(), endedAt: null, doubles: 0 },
      withEvents ? firstSeq : 1,
    )
  }

  /** Only where the source still has the event up to which the copy came. */
  async function goOn({ newestSeq }: CopySurvey): Promise<void> {
    if (newestSeq === 0) return
    const [there] = await from.readEvents(newestSeq - 1, 1)
    const [here] = await to.readEvents(newestSeq - 1, 1)
    if (there?.seq === newestSeq && there.id === here?.id) return
    throw refused(`holds a part of another log than ${from.name} has now: begin with an empty one`)
  }

  async function copyEvents({ rows }: CopySurvey, target: CopySurvey): Promise<void> {
    let done = target.rows.events
    let page = from.readEvents(target.newestSeq, BATCH_EVENTS)
    for (;;) {
      stopIfAsked()
      const events = await page
      const last = events.at(-1)
      if (last === undefined) break
      // The next batch is read while this one is written.
      page = from.readEvents(last.seq, BATCH_EVENTS)
      page.catch(() => undefined)
      await to.writeEvents(events)
      done += events.length
      onProgress({ what: 'events', done, total: rows.events })
    }
    copied.events = done
  }

  async function copyTable(table: CopiedTable, { rows, lastSeq }: CopySurvey): Promise<void> {
    let done = 0
    for (let next: number | null = 0; next !== null; ) {
      stopIfAsked()
      const page: CopiedPage = await from.readRows(table, next, BATCH_ROWS)
      const atTheEnd = table === 'cursors' && !withEvents
      const given = atTheEnd ? page.rows.map((row) => ({ ...row, seq: lastSeq })) : page.rows
      if (given.length > 0) await to.writeRows(table, given)
      done += given.length
      next = page.next
      if (done > 0) onProgress({ what: table, done, total: rows[table] })
    }
    copied[table] = done
  }

  /** That all of it is there; it is not complete before that. */
  async function compare({ rows }: CopySurvey): Promise<void> {
    const target = await to.survey()
    const expected = { ...copied, events: withEvents ? rows.events : 0 }
    const there = { ...target.rows, events: target.rows.events + (target.copied?.doubles ?? 0) }
    for (const [what, count] of Object.entries(expected)) {
      const found = there[what as CopiedTable]
      if (found === count) continue
      throw refused(`has ${found} ${what} where ${count} were copied: run it again`)
    }
  }

  async function leftBehind({ lastSeq, rows }: CopySurvey): Promise<Record<string, number>> {
    const { rows: cursors } = await from.readRows('cursors', 0, BATCH_ROWS)
    const lags = cursors.map(({ sink, seq }) => {
      return [String(sink), Math.min(lastSeq - Number(seq), rows.events)] as const
    })
    return Object.fromEntries(lags.filter(([, lag]) => lag > 0))
  }

  async function refuseServed(side: CopySource | CopyTarget): Promise<void> {
    const by = await side.servedBy()
    if (by === null) return
    throw new ServiceError(`The store ${side.name} is in use by ${by}: stop it first.`, {
      code: 'store_locked',
    })
  }

  function refused(problem: string): ServiceError {
    return new ServiceError(`The store ${to.name} ${problem}.`, { code: 'store_unavailable' })
  }

  function stopIfAsked(): void {
    if (signal.aborted) throw new ServiceError('The copy was stopped.', { code: 'aborted' })
  }
}
