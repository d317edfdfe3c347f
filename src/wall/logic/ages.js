// Times and figures in words. Ages count up beside pictures, so they are short.

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR
/** Below this, seconds are shown beside minutes. */
const FINE = 10 * MINUTE

export function ageInWords(ms) {
  const age = Math.max(0, ms)
  const [days, hours, minutes] = [DAY, HOUR, MINUTE].map((unit) => Math.floor(age / unit))
  const seconds = Math.floor(age / 1000)
  if (age < MINUTE) return `${seconds} s`
  if (age < FINE) return `${minutes} min ${String(seconds % 60).padStart(2, '0')} s`
  if (age < HOUR) return `${minutes} min`
  if (age < DAY) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${days} d ${hours % 24} h`
}

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

/** In the zone of the viewer; the day only if it is not the day of `now`. */
export function localTime(at, now) {
  const day = dayFormat.format(at)
  const time = timeFormat.format(at)
  return day === dayFormat.format(now) ? time : `${day}, ${time}`
}

export function utcTime(at) {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC')
}

/** A number as people write it: 12,345. */
export function grouped(value) {
  return value.toLocaleString('en')
}

export function bytesInWords(bytes) {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
  const value = bytes / 1024 ** power
  return `${power > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[power]}`
}
