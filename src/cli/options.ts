// Options that several commands take: times, one of a closed set, and secrets.
import { parseDuration } from '../core/duration.ts'
import { refuseOption, refuseUsage, type Shell } from './shell.ts'

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

/**
 * A secret as it is given, or from a file: whoever is on the machine can read the command line of a
 * process. Undefined for none.
 */
export async function secretOption(
  shell: Shell,
  option: string,
  { given, file }: { given: string | undefined; file: string | undefined },
): Promise<string | undefined> {
  if (file === undefined) return given
  if (given !== undefined) {
    throw refuseUsage(shell, `give ${option} or ${option}-file, not both`)
  }
  const bytes = await (file === '-' ? shell.readStdin() : shell.readBytes(file)).catch(() => null)
  if (bytes === null) throw refuseOption(shell, `${option}-file`, 'a file that can be read, or -')
  return new TextDecoder().decode(bytes).trim()
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
