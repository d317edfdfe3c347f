// Leases of a store that only one service has: it owns everything, always.
import type { Lease, Leases } from '../ports/leases.ts'

const NEVER = new AbortController().signal

export const soleOwner: Leases = {
  async hold(task, signal) {
    if (signal.aborted) return null
    const lease: Lease = {
      task,
      token: null,
      isHeld: () => true,
      recalled: NEVER,
      lost: NEVER,
      release: async () => undefined,
    }
    return lease
  },
  isOwner: () => true,
  peers: () => [],
}
