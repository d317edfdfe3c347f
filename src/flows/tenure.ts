// Work that one replica does at a time: begun when this one owns the task, and again each time it does.
import type { Lease, Leases } from '../ports/leases.ts'

/** Runs `work` while this replica owns `task`, until `signal` aborts; `work` ends with its lease. */
export async function whileOwner(
  leases: Pick<Leases, 'hold'>,
  task: string,
  signal: AbortSignal,
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  while (!signal.aborted) {
    const lease = await leases.hold(task, signal)
    if (lease === null) return
    try {
      await work(lease)
    } finally {
      await lease.release()
    }
  }
}
