// The connection to the service: the list of streams, then the events after it. Events that stay away while
// the log grows, or an API that does not answer, are a lost connection.

/** With the time-out, a lost connection shows after 8 s. */
const WATCH_MS = 4_000
const WATCH_TIMEOUT_MS = 4_000
const LIST_TIMEOUT_MS = 15_000
const OPEN_TIMEOUT_MS = 8_000
const RETRY_MS = 2_000
/** For intervals, and for streams that went. */
const LIST_AGAIN_MS = 30_000

/** The service wants a session, or never speaks to this page. */
export class Refused extends Error {
	constructor(kind, detail) {
		super(detail)
		this.kind = kind
	}
}

/** @param {Wall.LiveDeps} deps */
export function createLive(deps) {
	const { onConnection, sleep } = deps
	let stopping = new AbortController()
	let lostSince = 0

	async function run({ signal }) {
		if (lostSince === 0) onConnection({ kind: 'connecting' })
		while (!signal.aborted) {
			try {
				await follow(signal)
			} catch (error) {
				if (signal.aborted) return
				const { kind, message } = error
				lostSince = error instanceof Refused ? 0 : lostSince || deps.now()
				onConnection(error instanceof Refused ? { kind, detail: message } : { kind: 'lost', since: lostSince })
				if (kind === 'signed_out') return
			}
			await sleep(RETRY_MS, signal)
		}
	}

	/** One connection, until it ends. */
	async function follow(signal) {
		const list = await inTime(deps.streams, LIST_TIMEOUT_MS, signal)
		deps.onStreams(list)
		let lastSeq = Math.max(0, ...list.map(({ latest }) => latest.seq))
		const ended = new AbortController()
		const stop = AbortSignal.any([signal, ended.signal])
		const fault = Promise.withResolvers()
		const opened = Promise.withResolvers()
		const stream = deps.open(lastSeq, {
			onOpen: () => opened.resolve(undefined),
			onFault: () => fault.reject(new Error('the event stream ended')),
			onEvent(event) {
				lastSeq = Math.max(lastSeq, event.data.seq)
				deps.onEvent(event)
			},
		})
		try {
			await Promise.race([inTime(() => opened.promise, OPEN_TIMEOUT_MS, stop), fault.promise])
			lostSince = 0
			onConnection({ kind: 'live' })
			await Promise.race([fault.promise, watch(stop, () => lastSeq), listAgain(stop)])
		} finally {
			ended.abort()
			stream.close()
		}
	}

	async function watch(signal, lastSeq) {
		let expected = 0
		while (!signal.aborted) {
			const newest = await inTime(deps.newest, WATCH_TIMEOUT_MS, signal)
			if (lastSeq() < expected) throw new Error('events stay away')
			expected = newest
			deps.onNewest(newest)
			await sleep(WATCH_MS, signal)
		}
	}

	async function listAgain(signal) {
		while (!signal.aborted) {
			await sleep(LIST_AGAIN_MS, signal)
			if (!signal.aborted) deps.onStreams(await inTime(deps.streams, LIST_TIMEOUT_MS, signal))
		}
	}

	async function inTime(call, ms, signal) {
		const ended = new AbortController()
		const stop = AbortSignal.any([signal, ended.signal])
		const late = sleep(ms, stop).then(() => Promise.reject(new Error('no answer in time')))
		try {
			return await Promise.race([call(stop), late])
		} finally {
			late.catch(() => {})
			ended.abort()
		}
	}

	return {
		start() {
			stopping.abort()
			stopping = new AbortController()
			void run(stopping)
		},
		stop: () => stopping.abort(),
	}
}
