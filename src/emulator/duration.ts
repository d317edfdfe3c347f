// Reads the durations of the control API: a number of seconds, or a number with its unit, as in
// "500ms", "2s" or "1m". Shorter ones than the provider takes are welcome: tests are in a hurry.

const MS_PER_UNIT: Record<string, number> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 }
const DURATION = /^(\d{1,9}(?:\.\d{1,3})?)(ms|s|m|h)$/

/** A duration in milliseconds, or undefined when the value is not one. */
export function parseDuration(value: unknown): number | undefined {
  if (typeof value === 'number') {
    return Number.isFinite(value) && value >= 0 ? value * 1000 : undefined
  }
  const [, amount, unit] = DURATION.exec(String(value)) ?? []
  if (amount === undefined || unit === undefined) return undefined
  return Number(amount) * (MS_PER_UNIT[unit] ?? 0)
}
