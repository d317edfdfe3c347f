// Tells when the log has grown, whoever appended: by asking. A notification from the server would cost
// a server-wide lock at each commit; this is one probe of an index.
import { setTimeout as pause } from 'node:timers/promises'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'

const POLL_MS = 100
const DEADLINE_MS = 2_000

/** Calls `onGrowth` while somebody here `isInterested`; returns what ends it. */
export function watchGrowth(deps: {
  link: Link
  schema: string
  isInterested(): boolean
  onGrowth(): void
}): () => Promise<void> {
  const { link, schema, isInterested, onGrowth } = deps
  const statement = inSchema(schema, 'select (select seq from @.log_end_1())::float8 as last')
  const stopping = new AbortController()
  let known = -1

  async function watch(): Promise<void> {
    while (!stopping.signal.aborted) {
      if (isInterested()) await look().catch(() => undefined)
      await pause(POLL_MS, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  async function look(): Promise<void> {
    const [row] = await link.run((session) => session.rows(statement), DEADLINE_MS)
    const last = Number(row?.last ?? 0)
    if (last !== known) onGrowth()
    known = last
  }

  const watching = watch()
  return () => {
    stopping.abort()
    return watching
  }
}
