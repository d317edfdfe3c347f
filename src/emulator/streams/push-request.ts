// Checks what the control API is asked to push: which stream, and how often it is photographed.

import { type Checked, invalid, isObject, valid } from '../checked.ts'
import { parseDuration } from '../duration.ts'
import type { StreamName } from './archive.ts'

/** A slash would make paths ambiguous; control characters would make labels so. */
const NAME = /^[^/\s\p{Cc}]{1,255}$/u
/** Shorter ones would only measure the emulator; longer ones than an hour the provider refuses. */
const MIN_INTERVAL_MS = 10
const MAX_INTERVAL_MS = 3_600_000

export type PushRequest = StreamName & { intervalMs: number }

/** Reads `{domain, app, stream, interval}`; without an interval the default is taken. */
export function readPushRequest(input: unknown, defaultIntervalMs: number): Checked<PushRequest> {
  if (!isObject(input))
    return invalid('a push must be an object of {domain, app, stream, interval}')
  const { domain, app, stream, interval } = input
  for (const [field, name] of Object.entries({ domain, app, stream })) {
    if (typeof name !== 'string' || !NAME.test(name)) {
      return invalid(`${field} must be a name of 1 to 255 characters without slash or space`)
    }
  }
  const intervalMs = interval === undefined ? defaultIntervalMs : parseDuration(interval)
  if (intervalMs === undefined || intervalMs < MIN_INTERVAL_MS || intervalMs > MAX_INTERVAL_MS) {
    return invalid('interval must be a number of seconds or a duration such as 2s, from 10ms to 1h')
  }
  const names = { domain: String(domain), app: String(app), stream: String(stream) }
  return valid({ ...names, domain: names.domain.toLowerCase(), intervalMs })
}
