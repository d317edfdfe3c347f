// How the sinks are spread over replicas that see the same list of each other: the one that has more
// leaves what is free to others, and gives one back when it has two more than another.
import type { Peer } from '../../../ports/leases.ts'

const SINK = 'sink:'

export type Balance = {
  /** Whether another replica had better take what is free. */
  readonly hasMore: boolean
  /** Whether one sink more elsewhere, and one less here, is fairer. */
  readonly hasTwoMore: boolean
}

export function balanceOf(mine: readonly string[], others: readonly Peer[]): Balance {
  const count = (tasks: readonly string[]) => tasks.filter(isSink).length
  const fewest = Math.min(...others.map(({ tasks }) => count(tasks)))
  return { hasMore: count(mine) > fewest, hasTwoMore: count(mine) >= fewest + 2 }
}

export function isSink(task: string): boolean {
  return task.startsWith(SINK)
}
