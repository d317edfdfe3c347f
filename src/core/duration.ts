// Durations as settings and options have them: a number and a unit, such as `5m` or `48h`.

const UNIT_MS = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const
const FORM = /^(\d+(?:\.\d+)?)([smhd])$/
const MIN_MS = UNIT_MS.s
/** Ten years: more is a slip of the keyboard. */
const MAX_MS = 3_650 * UNIT_MS.d

/** Milliseconds, or undefined for anything that is not a duration of one second or more. */
export function parseDuration(text: string): number | undefined {
  const [, amount, unit] = FORM.exec(text) ?? []
  const ms = Number(amount) * UNIT_MS[unit as keyof typeof UNIT_MS]
  return ms >= MIN_MS && ms <= MAX_MS ? ms : undefined
}

/** A duration in its largest whole unit, such as `3d`; `0s` for less than a second. */
export function showDuration(ms: number): string {
  const units = Object.entries(UNIT_MS).toReversed()
  const [unit, size] = units.find(([, each]) => ms >= each) ?? ['s', UNIT_MS.s]
  return `${Math.max(0, Math.floor(ms / size))}${unit}`
}
