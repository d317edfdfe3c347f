// The streams that the page knows. `now` is epoch ms by the clock of the service.
/** @import { CloudEvent, State, Stream, StreamRecord, View } from '../types.d.ts' */

const LATE_MS = 30_000
const SILENT_MS = 300_000
const collator = new Intl.Collator('en', { numeric: true })

/** Names a stream here and in the URL. */
export function keyOf({ domain, app, stream }) {
	return [domain, app ?? '', stream ?? ''].map(encodeURIComponent).join('/')
}

export function namesOf(key) {
	const [domain, app, stream] = key
		.split('/')
		.map((part) => decodeURIComponent(part.replace(/%(?![\da-f]{2})/gi, '%25')))
	return { domain, app: app || null, stream: stream || null }
}

export function titleOf({ app, stream }) {
	return stream ?? (app === null ? 'without a name' : `${app}, without a name`)
}

/** As the service reckons it: a stream whose interval is not known is never late. @returns {State} */
export function stateOf({ seenAt, intervalSeconds }, now) {
	const age = now - seenAt
	const interval = (intervalSeconds ?? 0) * 1000
	if (age >= Math.max(SILENT_MS, 10 * interval)) return 'silent'
	return interval > 0 && age >= Math.max(LATE_MS, 3 * interval) ? 'late' : 'live'
}

const sortName = (stream) => `${titleOf(stream)}\n${stream.key}`

function timesOf({ receivedAt, capturedAt }) {
	const seenAt = Date.parse(receivedAt)
	// A capture time ahead of its receipt is a wrong clock.
	return { seenAt, takenAt: capturedAt === null ? seenAt : Math.min(seenAt, Date.parse(capturedAt)) }
}

/** @param {Stream} stream @param {View} view */
function matches(stream, { q, domain, app, state }, now) {
	if (domain !== '' && stream.domain !== domain) return false
	if (app !== '' && stream.app !== app) return false
	if (state !== '' && stateOf(stream, now) !== state) return false
	const part = q.toLowerCase()
	return [stream.domain, stream.app, stream.stream].some((name) => name?.toLowerCase().includes(part))
}

export function createStreams() {
	/** @type {Map<string, Stream>} */
	const streams = new Map()
	/** By name. @type {Stream[] | undefined} */
	let named

	return {
		streams,
		/** The list anew, but for newer events. @param {StreamRecord[]} records */
		replace(records) {
			const before = new Map(streams)
			streams.clear()
			named = undefined
			for (const record of records) {
				const key = keyOf(record)
				const old = before.get(key)
				const isOlder = old !== undefined && old.latest.seq > record.latest.seq
				const latest = isOlder ? old.latest : record.latest
				streams.set(key, { ...record, key, latest, ...timesOf(latest) })
			}
		},
		/** The key of the stream, or undefined if the event shows nothing newer. @param {CloudEvent} event */
		apply({ id, data }) {
			const { domain, app, stream, origin, seq, bucket, endpoint, object, capturedAt, receivedAt } = data
			const key = keyOf(data)
			const known = streams.get(key)
			const latest = { id, seq, bucket, endpoint, object, capturedAt, receivedAt }
			const times = timesOf(latest)
			if (known === undefined) {
				named = undefined
				streams.set(key, { key, domain, app, stream, intervalSeconds: null, latest, ...times })
				return key
			}
			// What the audit found may be older than what is shown.
			if (seq <= known.latest.seq || (origin !== 'callback' && times.takenAt <= known.takenAt)) return undefined
			Object.assign(known, { latest, ...times })
			return key
		},
		/** @param {View} view */
		arrange(view, now) {
			named ??= [...streams.values()].sort((a, b) => collator.compare(sortName(a), sortName(b)))
			const wanted = named.filter((stream) => matches(stream, view, now))
			const turn = { recent: -1, stalest: 1 }[view.order]
			if (turn) wanted.sort((a, b) => turn * (a.seenAt - b.seenAt))
			const pinned = ({ key }) => Number(view.pins.includes(key))
			return wanted.sort((a, b) => pinned(b) - pinned(a))
		},
		/** @param {View} view */
		counts(view, now, stateNow) {
			const counts = { all: 0, live: 0, late: 0, silent: 0, unknown: 0 }
			for (const stream of streams.values()) {
				if (!matches(stream, { ...view, state: '' }, now)) continue
				counts.all += 1
				counts[stateNow(stream)] += 1
			}
			return counts
		},
	}
}
