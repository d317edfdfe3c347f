// Leases that a test grants, calls back and takes away.
import type { Lease, Leases, Peer } from '../../../src/ports/leases.ts'

type Tenure = { lease: Lease; recalled: AbortController; lost: AbortController; isHeld: boolean }

export function fakeLeases() {
  const waiting = new Map<string, (lease: Lease | null) => void>()
  const tenures = new Map<string, Tenure>()
  const released: string[] = []
  let count = 0

  const leases: Leases = {
    hold(task, signal) {
      const { promise, resolve } = Promise.withResolvers<Lease | null>()
      waiting.set(task, resolve)
      signal.addEventListener('abort', () => resolve(null), { once: true })
      return promise
    },
    isOwner: (task) => tenures.get(task)?.isHeld === true,
    peers: () => fake.peers,
  }
  const fake = {
    leases,
    peers: [] as readonly Peer[],
    /** The tasks that were handed back. */
    released,
    /** Gives a task that is asked for; returns what ends the tenure. */
    grant(task: string) {
      const [recalled, lost] = [new AbortController(), new AbortController()]
      const lease: Lease = {
        task,
        token: `tenure ${++count}`,
        isHeld: () => tenure.isHeld,
        recalled: recalled.signal,
        lost: lost.signal,
        async release() {
          tenure.isHeld = false
          released.push(task)
        },
      }
      const tenure: Tenure = { lease, recalled, lost, isHeld: true }
      tenures.set(task, tenure)
      waiting.get(task)?.(lease)
      waiting.delete(task)
      return {
        recall: () => recalled.abort(),
        /** As after a pause: it is over, and no timer has said so yet. */
        forget: () => {
          tenure.isHeld = false
        },
        lose() {
          tenure.isHeld = false
          lost.abort()
        },
      }
    },
    isWanted: (task: string) => waiting.has(task),
  }
  return fake
}
