// The streams that the page knows. `now` is epoch ms by the clock of the service.

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

/** As the service reckons it: a stream whose interval is not known is never late. @returns {Wall.State} */
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

function matches(stream, { q, domain, app, state }, now) {
	if (domain !== '' && stream.domain !== domain) return false
	if (app !== '' && stream.app !== app) return false
	if (state !== '' && stateOf(stream, now) !== state) return false
	const part = q.toLowerCase()
	return [stream.domain, stream.app, stream.stream].some((name) => name?.toLowerCase().includes(part))
}

/** @returns {Wall.Streams} */
export function createStreams() {
	const streams = new Map()
	/** By name. */
	let named

	/** The stream, with this shot if it has none newer. */
	function note(key, { domain, app, stream }, latest) {
		const known = streams.get(key)
		if (known === undefined) {
			named = undefined
			streams.set(key, { key, domain, app, stream, intervalSeconds: null, latest, ...timesOf(latest) })
		} else if (latest.seq > known.latest.seq) Object.assign(known, { latest, ...timesOf(latest) })
		return streams.get(key)
	}

	return {
		streams,
		/** What is not in the list is gone. */
		replace(records) {
			const gone = new Set(streams.keys())
			for (const record of records) {
				const key = keyOf(record)
				gone.delete(key)
				note(key, record, record.latest).intervalSeconds = record.intervalSeconds
			}
			if (gone.size > 0) named = undefined
			for (const key of gone) streams.delete(key)
		},
		/** The key of the stream, or undefined if the event shows nothing newer. */
		apply({ id, data }) {
			const { origin, seq, bucket, endpoint, object, capturedAt, receivedAt } = data
			const key = keyOf(data)
			const known = streams.get(key)
			const latest = { id, seq, bucket, endpoint, object, capturedAt, receivedAt }
			// What the audit found may be older than what is shown.
			const isOld = seq <= known?.latest.seq || (origin !== 'callback' && timesOf(latest).takenAt <= known?.takenAt)
			if (isOld) return undefined
			note(key, data, latest)
			return key
		},
		arrange(view, now) {
			named ??= [...streams.values()].sort((a, b) => collator.compare(sortName(a), sortName(b)))
			const wanted = named.filter((stream) => matches(stream, view, now))
			const turn = { recent: -1, stalest: 1 }[view.order]
			if (turn) wanted.sort((a, b) => turn * (a.seenAt - b.seenAt))
			const pinned = ({ key }) => Number(view.pins.includes(key))
			return wanted.sort((a, b) => pinned(b) - pinned(a))
		},
		counts(view, now, stateNow) {
			const counts = { all: 0, live: 0, late: 0, silent: 0, unknown: 0 }
			const wanted = { ...view, state: '' }
			for (const stream of streams.values()) {
				if (!matches(stream, wanted, now)) continue
				counts.all += 1
				counts[stateNow(stream)] += 1
			}
			return counts
		},
	}
}
