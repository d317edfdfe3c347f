// What comes from outside of the program: log and standard output are the process's own, all else
// has a default that a test may replace. Everything that opens a part reads it from here.
import type { Clock, Random } from '../ports/clock.ts'
import type { CredentialsProvider } from '../ports/credentials.ts'
import type { LiveApi } from '../ports/live-api.ts'
import type { Log } from '../ports/log.ts'
import type { Sink } from '../ports/sink.ts'
import type { Output } from '../sinks/sink-kind.ts'
import type { LeaseTimes } from '../store/postgres/replicas/leases.ts'
import { openSqliteStore } from '../store/sqlite/sqlite-store.ts'
import { systemClock } from './system-clock.ts'

export type Overrides = {
  readonly log: Log
  readonly stdout: Output
  readonly clock?: Clock
  readonly random?: Random
  readonly credentials?: CredentialsProvider
  readonly api?: LiveApi
  readonly sinks?: readonly Sink[]
  readonly openStore?: typeof openSqliteStore
  /** How late the audit looks, and how soon after a start: nobody waits for minutes in a test. */
  readonly audit?: { readonly marginMs?: number; readonly firstAfterMs?: number }
  /** How long owners are trusted, likewise. */
  readonly leaseTimes?: LeaseTimes
}

export type Surroundings = Overrides & Required<Pick<Overrides, 'clock' | 'random' | 'openStore'>>

/** The overrides, and the system's own where there is none. */
export function withDefaults(overrides: Overrides): Surroundings {
  return { clock: systemClock, random: Math.random, openStore: openSqliteStore, ...overrides }
}
