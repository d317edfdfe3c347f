// Leases that run out five times as fast as the service's, for tests that wait for one to do so.
import { LEASE_TIMES, type LeaseTimes } from '../../../src/store/postgres/replicas/leases.ts'

export const QUICK_LEASE_TIMES: LeaseTimes = {
  ...LEASE_TIMES,
  pulseMs: 200,
  ttlMs: 1_200,
  trustMs: 1_000,
  deadlineMs: 400,
}
