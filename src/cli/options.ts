// Options that several commands take: times, and one of a closed set.
import { parseDuration } from '../core/duration.ts'
import { refuseOption, type Shell } from './shell.ts'

/** ISO 8601, to the day or finer; without a zone it is UTC. */
const TIME = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d)?)?$/
const ZONE = /(Z|[+-]\d\d:\d\d)$/

/** Epoch ms of a time, or of so long ago; null for none. */
export function timeOption(shell: Shell, option: string, given: string | undefined): number | null {
  if (given === undefined) return null
  const now = shell.overrides?.clock?.now ?? Date.now
  const ago = parseDuration(given)
  if (ago !== undefined) return now() - ago
  const isWhole = ZONE.test(given) || !given.includes('T')
  const time = TIME.test(given) ? Date.parse(isWhole ? given : `${given}Z`) : Number.NaN
  if (!Number.isNaN(time)) return time
  throw refuseOption(shell, option, `a time such as 2026-01-31T08:00Z, or 2h for two hours ago`)
}

/** One of `values`; null for none. */
export function choice<const T extends string>(
  shell: Shell,
  option: string,
  given: string | undefined,
  values: readonly T[],
): T | null {
  if (given === undefined) return null
  const found = values.find((value) => value === given)
  if (found !== undefined) return found
  throw refuseOption(shell, option, `one of ${values.join(', ')}, not "${given}"`)
}
