// Times, figures and faults in words.

const dayFormat = new Intl.DateTimeFormat(undefined, { dateStyle: 'medium' })
const timeFormat = new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' })

export function ageInWords(ms) {
	const seconds = Math.max(0, Math.floor(ms / 1000))
	const minutes = Math.floor(seconds / 60)
	const hours = Math.floor(minutes / 60)
	if (minutes === 0) return `${seconds} s`
	if (hours === 0) return `${minutes} min`
	if (hours < 24) return `${hours} h ${minutes % 60} min`
	return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** The day only if it is not that of `now`. */
export function localTime(at, now) {
	const day = dayFormat.format(at)
	const time = timeFormat.format(at)
	return day === dayFormat.format(now) ? time : `${day}, ${time}`
}

export function utcTime(at) {
	return new Date(at).toISOString().replace('T', ' ').replace('Z', ' UTC')
}

export function grouped(value) {
	return value.toLocaleString('en')
}

export function bytesInWords(bytes) {
	const power = Math.min(4, Math.floor(Math.log2(Math.max(1, bytes)) / 10))
	const value = bytes / 1024 ** power
	return `${value.toFixed(power > 0 && value < 10 ? 1 : 0)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`
}

/** Why there is no picture; `problem` is what the service said. */
export function noPicture(why, problem) {
	if (why === 'slow') return { short: 'picture is slow', long: 'The bucket did not give the picture in 15 s.' }
	if (problem !== undefined) return { short: problem.title, long: problem.detail }
	const long = 'The bucket did not give it: it is gone, or the service may not read it. "snaphook doctor" checks that.'
	return { short: 'bucket refused', long }
}

/** What to show if there is no stream. */
export function emptyState(registrations) {
	if (registrations.length === 0) return 'waiting'
	const levels = registrations.map(({ state }) => registrationLevel(state))
	return levels.includes('bad') ? 'wrong' : levels.includes('warn') ? 'pending' : 'silent'
}

export function registrationLevel(state) {
	return { in_sync: 'ok', pending: 'warn' }[state] ?? 'bad'
}
