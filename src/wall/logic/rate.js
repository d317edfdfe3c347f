// Callbacks per minute, from two numbers of events.

const MINUTE = 60_000
const LEAST = 10_000

export function createRate() {
	let seen = []
	return {
		note(at, seq) {
			// Another log.
			if (seq < seen.at(-1)?.seq) seen = []
			seen.push({ at, seq })
			while (seen.length > 2 && seen[1].at <= at - MINUTE) seen.shift()
		},
		/** Null while too little is known. */
		perMinute() {
			const first = seen[0]
			const last = seen.at(-1)
			if (first === undefined || last.at - first.at < LEAST) return null
			return Math.round(((last.seq - first.seq) * MINUTE) / (last.at - first.at))
		},
	}
}
