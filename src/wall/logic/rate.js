// Callbacks per minute. The log numbers its events without end, so two numbers and the time between them
// say how many came: no counter is kept, and the figure is right from the start.

const MINUTE = 60_000
/** A figure from less than this would jump about. */
const LEAST = 10_000

export function createRate() {
	let seen = []
	return {
		note(at, seq) {
			// A number that went back is of another log.
			if (seq < seen.at(-1)?.seq) seen = []
			seen.push({ at, seq })
			// One note from before the minute is kept, to reckon from.
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
