// Times in words. Ages count up beside pictures, so they are short; exact times are shown in the
// viewer's zone, and as UTC where they are asked for.

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Below this, seconds are shown beside minutes. */
const FINE = 10 * MINUTE

/** @param {number} ms */
export function ageInWords(ms) {
  const age = Math.max(0, ms)
  if (age < MINUTE) return `${Math.floor(age / SECOND)} s`
  if (age < FINE) return `${Math.floor(age / MINUTE)} min ${rest(age, MINUTE, SECOND)} s`
  if (age < HOUR) return `${Math.floor(age / MINUTE)} min`
  if (age < DAY) return `${Math.floor(age / HOUR)} h ${rest(age, HOUR, MINUTE)} min`
  return `${Math.floor(age / DAY)} d ${Math.floor((age % DAY) / HOUR)} h`
}

/** @param {number} age @param {number} large @param {number} small */
function rest(age, large, small) {
  return String(Math.floor((age % large) / small)).padStart(2, '0')
}

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/**
 * In the zone of the viewer; the day only where it is not the day of `now`.
 * @param {number} at
 * @param {number} now
 */
export function localTime(at, now) {
  const day = dayFormat.format(at)
  const time = timeFormat.format(at)
  return day === dayFormat.format(now) ? time : `${day}, ${time}`
}

/** @param {number} at */
export function utcTime(at) {
  return `${new Date(at).toISOString().replace('T', ' ').replace('Z', '')} UTC`
}

/**
 * A number as people write it: 12,345.
 * @param {number} value
 */
export function grouped(value) {
  return value.toLocaleString('en')
}

/** @param {number} bytes */
export function bytesInWords(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let value = bytes
  let unit = 0
  while (value >= 1024 && unit < units.length - 1) {
    value /= 1024
    unit += 1
  }
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`
}
