// A write takes up to minutes to show: what may be said of one that was made and is not seen yet.
import { sameUrl } from './notify-url.ts'
import { isKeyHidden, type Observed, sameObservation } from './observation.ts'
import type { Registration, Write } from './registration.ts'

/**
 * Console changes of callback settings take up to this long to show (docs/provider.md#delivery).
 */
export const MAX_LAG_MS = 5 * 60_000

/** A write that the provider has accepted and that no look has shown yet. */
export type UnseenWrite = {
  readonly step: Write
  readonly registration: Registration
  readonly before: Observed
  /** When, in ms on a clock that never jumps. */
  readonly at: number
}

/** Whether an observation shows a write, as far as its key is visible. */
export function shows(observed: Observed, { url, key }: Registration): boolean {
  if (observed.kind === 'absent' || !observed.auth || !sameUrl(observed.url, url)) return false
  return isKeyHidden(observed) || observed.key === key
}

/** Whether a write that began at `since`, epoch ms, may still be on its way or not shown yet. */
export function mayStillShow(since: number | null, now: number): since is number {
  return since !== null && Math.abs(now - since) < MAX_LAG_MS
}

/** Whether an observation is merely what was there before a write, and so says nothing. */
export function isLag(observed: Observed, write: UnseenWrite, now: number): boolean {
  return now - write.at < MAX_LAG_MS && sameObservation(observed, write.before)
}
