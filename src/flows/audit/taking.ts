// Keeps in the store when callbacks were taken, and when not: what was missed while they were not is
// filled unasked. A time in which the process was down shows in the last note before it.
import type { Range } from '../../core/audit/ranges.ts'
import { describeError } from '../../errors.ts'
import type { AuditStore } from '../../ports/audit.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'

/** A crash between two notes is taken to have begun with the first. */
const NOTE_INTERVAL_MS = 10_000
const RETRY_MS = 1_000

export function createTaking(deps: {
  domains: readonly string[]
  store: Pick<AuditStore, 'beginTaking' | 'noteTaking' | 'noteNotTaking'>
  clock: Clock
  log: Log
}) {
  const { domains, store, clock, log } = deps
  /** When callbacks were turned away, as far as the store does not have it yet; by domain. */
  const unnoted = new Map<string, Range>()

  let isRunning = false

  async function noteTurnedAway(): Promise<void> {
    for (const [domain, range] of unnoted) {
      await store.noteNotTaking(domain, range)
      if (unnoted.get(domain) === range) unnoted.delete(domain)
    }
  }

  return {
    /** Notes that callbacks are taken from `at` on; tries until the store takes it. */
    async begin(at: number, signal: AbortSignal): Promise<void> {
      let isLogged = false
      while (!signal.aborted) {
        try {
          return await store.beginTaking(domains, at)
        } catch (error) {
          if (!isLogged) log.warn('the audit waits for the store', { reason: describeError(error) })
          isLogged = true
          await clock.sleep(RETRY_MS, signal)
        }
      }
    },

    /** A callback of the domain was turned away, not through its own fault. */
    turnedAway(domain: string): void {
      const at = clock.now()
      const before = unnoted.get(domain)
      unnoted.set(domain, { from: Math.min(before?.from ?? at, at), until: at + 1 })
    },

    /** Tells the store from time to time, and once more at the end. */
    async run(signal: AbortSignal): Promise<void> {
      isRunning = true
      while (!signal.aborted) {
        await clock.sleep(NOTE_INTERVAL_MS, signal)
        // A store that fails is reported where callbacks are; it is told when it works again.
        await noteTurnedAway()
          .then(() => store.noteTaking(domains, clock.now()))
          .catch(() => undefined)
      }
      isRunning = false
    },

    /** The same of what was turned away alone, while another replica audits: each knows its own. */
    async runBeside(signal: AbortSignal): Promise<void> {
      while (!signal.aborted) {
        await clock.sleep(NOTE_INTERVAL_MS, signal)
        if (!isRunning) await noteTurnedAway().catch(() => undefined)
      }
    },
  }
}
