// The provider's form of a time: ISO 8601 in UTC, to the second.

const ISO_SECONDS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

/** Unix milliseconds as `2026-01-01T00:00:00Z`. */
export function formatTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`
}

/** The Unix milliseconds of such a time, or undefined when the text is not one. */
export function parseTime(text: string): number | undefined {
  const ms = ISO_SECONDS.test(text) ? Date.parse(text) : Number.NaN
  return Number.isNaN(ms) ? undefined : ms
}
