// The intervals of streams as the provider's list has shown them. Events alone may show twice the true
// interval: if every second callback is lost, or goes to another replica, what arrives looks as regular.
import type { StreamName } from '../../core/audit/shots.ts'
import { streamKey } from '../../core/audit/stream-names.ts'

/** More streams than anybody has; forgotten together, and learnt again. */
const MAX_STREAMS = 100_000

export type Intervals = ReturnType<typeof createIntervals>

/** None is known at first. */
export function createIntervals() {
  const byStream = new Map<string, number>()
  const byApp = new Map<string, number>()

  return {
    /** Of a stream, else of its app, whose template all its streams have; or null. */
    of: (name: StreamName): number | null =>
      byStream.get(streamKey(name)) ?? byApp.get(name.app) ?? null,
    learn(name: StreamName, intervalMs: number): void {
      if (byStream.size >= MAX_STREAMS) byStream.clear()
      byStream.set(streamKey(name), intervalMs)
      byApp.set(name.app, intervalMs)
    },
  }
}
