// Works off what somebody has asked to be filled: a window of one backfill at a time, the oldest
// first. How far it is stands in the store, so it goes on after a restart.
import { ServiceError } from '../../errors.ts'
import type { Backfill } from '../../ports/audit.ts'
import type { Clock, Random } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { AuditDeps } from './audit-window.ts'
import { backfillWindow } from './backfill-window.ts'
import type { Report } from './report.ts'
import { retryMs } from './retry.ts'

/** Progress is logged this often. */
const LOG_INTERVAL_MS = 60_000

export function createBackfiller(parts: {
  deps: AuditDeps
  audits: readonly { readonly domain: string; readonly report: Report }[]
  clock: Clock
  random: Random
  log: Log
}) {
  const { deps, audits, clock, random, log } = parts
  const { store } = deps
  let failures = 0
  let retryAt = 0
  let loggedAt = -Infinity
  const begun = new Set<number>()
  const failing = new Set<number>()

  /** Makes one step of the first backfill that can go on. Resolves with whether there is more. */
  async function step(signal: AbortSignal): Promise<boolean> {
    if (clock.elapsed() < retryAt) return false
    try {
      for (const backfill of await open()) {
        if (await stepOf(backfill, signal)) return true
      }
      return false
    } catch (error) {
      if (signal.aborted) return false
      if (!(error instanceof ServiceError)) throw error
      failures += 1
      retryAt = clock.elapsed() + retryMs(error, failures, random())
      return false
    }
  }

  async function open(): Promise<Backfill[]> {
    const all = await store.listBackfills()
    return all.filter(({ endedAt }) => endedAt === null).toReversed()
  }

  /** Resolves with whether it has moved. */
  async function stepOf(backfill: Backfill, signal: AbortSignal): Promise<boolean> {
    const { id, domain } = backfill
    const report = audits.find((audit) => audit.domain === domain)?.report
    if (report === undefined) return false
    if (!begun.has(id)) log.info('backfill begins', { backfill: id, domain, ...rangeOf(backfill) })
    begun.add(id)
    const outcome = await backfillWindow(deps, backfill, clock.now(), signal).catch(
      async (fault: unknown) => {
        await noteProblem(backfill, fault, signal)
        throw fault
      },
    )
    failures = 0
    if (outcome.kind === 'waiting') return false
    failing.delete(id)
    report.note(rangeOf(backfill), outcome)
    const { isEnd } = outcome
    if (isEnd || clock.elapsed() - loggedAt >= LOG_INTERVAL_MS) await logProgress(id, isEnd)
    return true
  }

  /** Said once, and shown by `status` until it goes on. */
  async function noteProblem(backfill: Backfill, fault: unknown, signal: AbortSignal) {
    const { id, domain, doneUntil } = backfill
    if (signal.aborted || !(fault instanceof ServiceError) || failing.has(id)) return
    failing.add(id)
    log.warn('backfill does not get on; it is tried again', {
      ...{ backfill: id, domain, reason: fault.message },
    })
    const nothing = { listed: 0, missed: 0, isEnd: false }
    await store.fill([], { kind: 'backfill', id, doneUntil, ...nothing, problem: fault.message })
  }

  async function logProgress(id: number, isEnd: boolean): Promise<void> {
    loggedAt = clock.elapsed()
    const backfill = (await store.listBackfills()).find((each) => each.id === id)
    if (backfill === undefined) return
    const { domain, doneUntil, listed, missed, filled, cancelled } = backfill
    const fields = { backfill: id, domain, listed, missed, filled }
    if (cancelled) log.info('backfill is called off', fields)
    else if (isEnd) log.info('backfill is done', fields)
    else log.info('backfill goes on', { ...fields, doneUntil: new Date(doneUntil).toISOString() })
  }

  return { step }
}

function rangeOf({ from, until }: Backfill) {
  return { from, until }
}
