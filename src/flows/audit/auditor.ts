// The audit: every now and then each domain is compared with what the provider lists, window by
// window, and what somebody has asked to be filled is filled in between. One step at a time, so that
// no domain and no backfill waits for another's days.
import { MARGIN_MS } from '../../core/audit/windows.ts'
import { mayPass, ServiceError } from '../../errors.ts'
import type { AuditStore, SnapshotLists } from '../../ports/audit.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { AuditMetrics } from '../../ports/metrics.ts'
import type { AuditView } from '../../ports/views.ts'
import { patientClock } from '../patient-clock.ts'
import { auditWindow, passOver, type WindowOutcome } from './audit-window.ts'
import { createBackfiller } from './backfiller.ts'
import { createIntervals } from './intervals.ts'
import { createReport, type Report } from './report.ts'
import { retryMs } from './retry.ts'
import { createTaking } from './taking.ts'

/** After a start registration comes first; what a down time has cost is found soon. */
const FIRST_AFTER_MS = 5_000
/** Requests of commands are looked for this often. */
const POLL_MS = 1_000
/** After such a step there is none to be made at once. */
const NOTHING_LEFT: ReadonlySet<WindowOutcome['kind']> = new Set<WindowOutcome['kind']>([
  'done',
  'waiting',
  'released',
])

export type Auditor = {
  /** Runs until `signal` aborts. */
  run(signal: AbortSignal): Promise<void>
  /** Notes what was turned away here while another replica audits; to be run by each of a shared store. */
  runBeside(signal: AbortSignal): Promise<void>
  /** A callback of a domain was turned away, not through its own fault. */
  turnedAway(domain: string): void
  views(): AuditView[]
}

type DomainAudit = {
  readonly domain: string
  readonly report: Report
  /** When its next step is due, on the clock that never jumps. */
  dueAt: number
  failures: number
  /** Whether the domain was deregistered when it was last asked. */
  isReleased: boolean
}

export function createAuditor(deps: {
  domains: readonly string[]
  store: AuditStore
  lists: SnapshotLists
  /** Whether a domain is deregistered: nothing is expected of it then, and nothing is audited. */
  isReleased(domain: string): boolean
  /** Undefined: nothing is compared unasked. */
  intervalMs: number | undefined
  /** For tests. */
  marginMs?: number | undefined
  /** For tests. */
  firstAfterMs?: number | undefined
  clock: Clock
  random: Random
  metrics: AuditMetrics
  log: Log
}): Auditor {
  const { domains, store, lists, isReleased, intervalMs, random, metrics, log } = deps
  // How far the audit has come can't be taken back.
  const clock = patientClock(deps.clock)
  const { marginMs = MARGIN_MS, firstAfterMs = FIRST_AFTER_MS } = deps
  const shared = { store, lists, intervals: createIntervals(), clock, marginMs }
  const taking = createTaking({ domains, store, clock, log })
  const audits = domains.map((domain): DomainAudit => {
    const report = createReport({ domain, intervalMs, marginMs, metrics, log })
    return {
      domain,
      report,
      dueAt: clock.elapsed() + firstAfterMs,
      failures: 0,
      isReleased: isReleased(domain),
    }
  })
  const backfiller = createBackfiller({ deps: shared, audits, clock, random, log })

  /** Makes one step, and says when the next one is due. */
  async function step(audit: DomainAudit, signal: AbortSignal): Promise<void> {
    const { domain, report } = audit
    try {
      const now = clock.now()
      const record = await store.loadAudit(domain)
      if (record === null) throw new ServiceError('not begun', { code: 'store_failed' })
      report.read(record)
      const released = isReleased(domain)
      const isBack = audit.isReleased && !released
      const outcome = await (released || isBack
        ? passOver(store, record, now)
        : auditWindow(shared, record, now, signal))
      audit.isReleased = released
      report.stepped(outcome)
      report.read((await store.loadAudit(domain)) ?? record)
      audit.failures = 0
      report.settle(clock.now())
      const isMore = isBack || !NOTHING_LEFT.has(outcome.kind)
      audit.dueAt = clock.elapsed() + (isMore ? 0 : pause())
    } catch (error) {
      if (signal.aborted) return
      if (!(error instanceof ServiceError)) throw error
      audit.failures += 1
      report.failed(error, mayPass(error) ? audit.failures : Infinity)
      audit.dueAt = clock.elapsed() + retryMs(error, audit.failures, random())
    }
  }

  /** A domain that was deregistered, or is registered again, is due at once. */
  function isDue({ domain, dueAt, ...audit }: DomainAudit): boolean {
    return clock.elapsed() >= dueAt || isReleased(domain) !== audit.isReleased
  }

  /** Ten per cent more or less, so that replicas that start together do not ask together. */
  function pause(): number {
    return (intervalMs ?? 0) * (0.9 + random() / 5)
  }

  async function work(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let isMore = false
      for (const audit of audits) {
        if (intervalMs === undefined || !isDue(audit)) continue
        await step(audit, signal)
        isMore ||= clock.elapsed() >= audit.dueAt
        if (signal.aborted) return
      }
      isMore = (await backfiller.step(signal)) || isMore
      if (!isMore) await clock.sleep(POLL_MS, signal)
    }
  }

  return {
    async run(signal) {
      await taking.begin(clock.now(), signal)
      await Promise.all([taking.run(signal), work(signal)])
    },
    turnedAway: taking.turnedAway,
    runBeside: taking.runBeside,
    views: () => audits.map(({ report }) => report.view()),
  }
}
