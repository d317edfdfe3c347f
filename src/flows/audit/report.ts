// What is shown of the audit of a domain: a state, a sentence, and a log line if there is news.

import type { Range } from '../../core/audit/ranges.ts'
import {
  type AuditState,
  CANNOT_COMPARE_ADVICE,
  DOUBTFUL_ADVICE,
  NOT_PERMITTED_ADVICE,
  RELEASED_ADVICE,
} from '../../core/audit/state.ts'
import { isBehind } from '../../core/audit/windows.ts'
import { showDuration } from '../../core/duration.ts'
import { describeError, faultCode } from '../../errors.ts'
import type { AuditRecord } from '../../ports/audit.ts'
import type { Log } from '../../ports/log.ts'
import type { AuditMetrics } from '../../ports/metrics.ts'
import type { AuditView } from '../../ports/views.ts'
import type { WindowOutcome } from './audit-window.ts'

/** Faults in a row after which it is no hiccup. */
const FAILURES_TO_SAY = 3
/** Gaps that are shown. */
const SHOWN_GAPS = 10

export type Report = ReturnType<typeof createReport>

/** `intervalMs` undefined: the audit is off. */
export function createReport(deps: {
  domain: string
  intervalMs: number | undefined
  marginMs: number
  metrics: AuditMetrics
  log: Log
}) {
  const { domain, intervalMs, marginMs, metrics, log } = deps
  let state: AuditState = intervalMs === undefined ? 'off' : 'ok'
  let detail: string | null = null
  let record: AuditRecord | null = null
  let cannotCompare = false
  let isReleased = false
  let missed = 0
  let filled = 0
  metrics.auditState(domain, state)

  function enter(entered: AuditState, sentence: string | null): void {
    const isNews = entered !== state
    const was = state
    state = entered
    detail = sentence
    metrics.auditState(domain, state)
    if (!isNews) return
    if (state === 'ok') log.info('audit is well again', { domain, was })
    else if (state === 'off') log.info('audit off', { domain, detail })
    else log.warn(`audit ${state}`, { domain, detail })
  }

  function note(of: Range, counts: { missed: number; filled: number }): void {
    missed += counts.missed
    filled += counts.filled
    metrics.missed(domain, counts.missed)
    metrics.filled(domain, counts.filled)
    if (counts.missed === 0) return
    // A step's outcome has more to it than its counts.
    const found = { missed: counts.missed, filled: counts.filled }
    const fields = { domain, from: iso(of.from), until: iso(of.until), ...found }
    if (counts.filled > 0) {
      log.info('shots that no callback brought were found and filled in', fields)
    } else log.warn('shots that no callback brought were not filled in', fields)
  }

  return {
    /** What the store remembers, before a step or after it. */
    read(loaded: AuditRecord): void {
      record = loaded
      metrics.auditedUntil(domain, loaded.auditedUntil)
    },

    /** How a step went. */
    stepped(outcome: WindowOutcome): void {
      isReleased = outcome.kind === 'released'
      switch (outcome.kind) {
        case 'filled':
          cannotCompare = false
          note(outcome.window, outcome)
          return
        case 'doubtful':
          cannotCompare = false
          note(outcome.window, { missed: outcome.missed, filled: 0 })
          return
        case 'cannot_compare':
          cannotCompare = true
          return
        case 'too_old':
          log.warn('the audit looks no further back: a range is not looked at', {
            ...{ domain, from: iso(outcome.gap.from), until: iso(outcome.gap.until) },
          })
          return
        case 'released':
          cannotCompare = false
          return
        case 'done':
        case 'waiting':
          return
      }
    },

    /** A step has ended without a fault: what is true of the domain now. */
    settle(now: number): void {
      if (intervalMs === undefined || record === null) return
      const { auditedUntil, isDoubtful } = record
      if (isReleased) enter('off', RELEASED_ADVICE)
      else if (cannotCompare) enter('cannot_compare', CANNOT_COMPARE_ADVICE)
      else if (isDoubtful) enter('doubtful', DOUBTFUL_ADVICE)
      else if (isBehind(auditedUntil, now, { marginMs, intervalMs })) {
        enter(
          'behind',
          `it has come to ${iso(auditedUntil)}, ${showDuration(now - auditedUntil)} ago`,
        )
      } else enter('ok', null)
    },

    /** A step has failed, for the `failures`-th time in a row. */
    failed(error: unknown, failures: number): void {
      const reason = describeError(error)
      if (faultCode(error) === 'api_denied') enter('not_permitted', NOT_PERMITTED_ADVICE)
      else if (failures >= FAILURES_TO_SAY) enter('failing', reason)
      else log.debug('a step of the audit failed; it is tried again', { domain, reason })
    },

    /** A backfill has found and filled. */
    note,

    view: (): AuditView => ({
      domain,
      state,
      detail,
      auditedUntil: record === null ? null : iso(record.auditedUntil),
      missed,
      filled,
      gaps: (record?.gaps ?? []).slice(0, SHOWN_GAPS).map(({ from, until, ...gap }) => ({
        from: iso(from),
        until: iso(until),
        ...gap,
      })),
    }),
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
