// What a check of outside input comes to: the value, or one sentence on what is wrong with it.

export type Checked<T> = { ok: true; value: T } | { ok: false; problem: string }

/** A value that passed its check. */
export function valid<T>(value: T): Checked<T> {
  return { ok: true, value }
}

/** A refusal, with the sentence that the caller is shown. */
export function invalid(problem: string): { ok: false; problem: string } {
  return { ok: false, problem }
}

/** True for a JSON object: not null, not an array. */
export function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
