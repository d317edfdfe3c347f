// The parameters of a request, checked by the schema that also describes them. Whatever is unknown,
// given twice or malformed is refused by name, all of it at once.
import { z } from 'zod'
import { parseDuration } from '../../core/duration.ts'
import type { ParameterProblem } from '../problem.ts'

/** RFC 3339, to the second or finer. */
const TIME = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/
const TIME_OR_AGO = new RegExp(`${TIME.source}|^\\d+(\\.\\d+)?[smhd]$`)
const TIME_ERROR = 'must be a time such as 2026-01-31T08:00:00Z, or 2h for two hours ago'

export type Read<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly ParameterProblem[] }

/** A whole number in a query, which is text. */
export function wholeNumber(least: number, most: number) {
  const error = rangeError(least, most)
  const number = z.int({ error }).min(least, error).max(most, error)
  return z.preprocess(
    (given) => (typeof given === 'string' && /^\d{1,15}$/.test(given) ? Number(given) : given),
    number,
  ) as unknown as typeof number
}

function rangeError(least: number, most: number): string {
  return most === Number.MAX_SAFE_INTEGER
    ? `must be a whole number, ${least} or more`
    : `must be a whole number from ${least} to ${most}`
}

/** A time, or how long ago. */
export const timeParameter = z.string().regex(TIME_OR_AGO, TIME_ERROR).refine(isTime, TIME_ERROR)

/** One of a closed set. */
export function oneOf<const T extends readonly [string, ...string[]]>(values: T) {
  return z.enum(values, { error: `must be one of ${values.join(', ')}` })
}

/** A name to compare with; an empty one names nothing. */
export const nameParameter = z
  .string()
  .min(1, 'must not be empty')
  .max(1_024, 'must have at most 1,024 characters')
  // PostgreSQL takes none in a text.
  .refine((name) => !name.includes('\0'), 'must not hold a NUL character')

/** Reads the query of a request. */
export function readQuery<T extends z.ZodObject>(
  schema: T,
  query: URLSearchParams,
): Read<z.output<T>> {
  const problems: ParameterProblem[] = []
  const given: Record<string, string> = {}
  const known = Object.keys(schema.shape)
  for (const name of new Set(query.keys())) {
    if (!known.includes(name)) {
      const expected = known.length === 0 ? 'there are none here' : `known are ${known.join(', ')}`
      problems.push({ parameter: name.slice(0, 100), detail: `is not known: ${expected}` })
    } else if (query.getAll(name).length > 1) {
      problems.push({ parameter: name, detail: 'must be given once' })
    } else {
      given[name] = query.get(name) as string
    }
  }
  const parsed = schema.safeParse(given)
  for (const { path, message } of parsed.error?.issues ?? []) {
    const parameter = String(path[0])
    // What two rules find wrong is said once.
    if (problems.some((each) => each.parameter === parameter)) continue
    problems.push({ parameter, detail: message })
  }
  return parsed.success && problems.length === 0
    ? { ok: true, value: parsed.data as z.output<T> }
    : { ok: false, problems }
}

/** Epoch ms of a time parameter that was checked; null for none. */
export function timeOf(given: string | undefined, now: number): number | null {
  if (given === undefined) return null
  return TIME.test(given) ? epochMs(given) : now - (parseDuration(given) ?? 0)
}

function isTime(given: string): boolean {
  if (!TIME.test(given)) return parseDuration(given) !== undefined
  const [year = 0, month = 0, day = 0] = given.slice(0, 10).split('-').map(Number)
  // There is no 30th of February, but `Date` takes it for the 2nd of March.
  const date = new Date(Date.UTC(year, month - 1, day))
  return date.getUTCMonth() === month - 1 && !Number.isNaN(epochMs(given))
}

function epochMs(given: string): number {
  return Date.parse(given.replace(' ', 'T').toUpperCase())
}
