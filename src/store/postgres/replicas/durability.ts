// What a commit of ours is worth, as the server is set now: it may stop naming a standby, or switch
// `fsync` off, while we are connected.
import { setTimeout as pause } from 'node:timers/promises'
import type { KeptBy, PostgresLocation } from '../../../core/store-place.ts'
import type { Link } from '../connection/link.ts'

const LOOK_MS = 30_000
const DEADLINE_MS = 2_000
const STATEMENT = `
  select current_setting('fsync') = 'on' and current_setting('full_page_writes') = 'on' as safe,
    current_setting('synchronous_standby_names') <> '' as named
`

/** Tells `onDurability` at first, and of each change; returns what ends it. */
export function watchDurability(deps: {
  link: Link
  location: Pick<PostgresLocation, 'durability'>
  onDurability(kept: KeptBy): void
  /** For tests. */
  everyMs?: number
}): () => Promise<void> {
  const { link, location, onDurability, everyMs = LOOK_MS } = deps
  const stopping = new AbortController()
  const { signal } = stopping
  let reported: KeptBy = 'unknown'

  async function look(): Promise<void> {
    const [row] = await link.run((session) => session.rows(STATEMENT), DEADLINE_MS)
    const isCopied = row?.named === true && location.durability === 'standby'
    const kept = row?.safe !== true ? 'nothing' : isCopied ? 'standby' : 'primary'
    if (kept !== reported && !signal.aborted) onDurability(kept)
    reported = kept
  }

  const watching = (async () => {
    while (!signal.aborted) {
      // A server that is away is reported elsewhere; what was true of it last stands.
      await look().catch(() => undefined)
      await pause(everyMs, undefined, { signal }).catch(() => undefined)
    }
  })()
  return () => {
    stopping.abort()
    return watching
  }
}
