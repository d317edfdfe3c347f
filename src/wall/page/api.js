// The API of the service. URLs are relative: the page may stand behind a path.
import { Refused } from '../logic/live.js'

/** More help nobody: a filter finds the rest. */
export const MOST_STREAMS = 2000
/** `Date` has whole seconds: less than this is no difference. */
const CLOCK_TOLERANCE_MS = 1500

let clockOffset = 0

/** Epoch ms by the clock of the service: the clock of the viewer may be wrong. */
export const serviceNow = () => Date.now() + clockOffset

const queryOf = (filters) => new URLSearchParams(Object.entries(filters).filter(([, value]) => value))
const ask = (path, options) => fetch(path, { cache: 'no-store', ...options })

async function get(path, signal) {
	const response = await ask(path, { signal })
	const offset = Date.parse(response.headers.get('date') ?? '') + 500 - Date.now()
	if (Math.abs(offset - clockOffset) > CLOCK_TOLERANCE_MS) {
		clockOffset = Math.abs(offset) > CLOCK_TOLERANCE_MS ? offset : 0
	}
	if (response.ok) return response.json()
	const { status, detail } = await problemOf(response)
	const kind = { 401: 'signed_out', 403: 'forbidden' }[status]
	throw kind === undefined ? new Error(detail) : new Refused(kind, detail)
}

export async function problemOf(response) {
	const said = await response.json().catch(() => ({}))
	const { status } = response
	const { title = `answer ${status}`, detail = title } = said
	return { status, title, detail }
}

/** All streams or, of very many, the first that the filters leave. */
export async function listStreams(filters, signal) {
	const all = await pages({}, signal)
	return all.isCut ? pages(filters, signal) : all
}

async function pages(filters, signal) {
	const streams = []
	let after = null
	do {
		const page = await get(`v1/streams?${queryOf({ ...filters, limit: 1000, after })}`, signal)
		streams.push(...page.streams)
		after = page.next
	} while (after && streams.length < MOST_STREAMS)
	return { streams, isCut: Boolean(after) }
}

/** Of the newest event, or the newest before `until`; 0 for none. */
export async function newestSeq(signal, until = '') {
	const { events } = await get(`v1/events?${queryOf({ limit: 1, until })}`, signal)
	return events[0]?.data.seq ?? 0
}

export async function lastShots(names, limit) {
	return (await get(`v1/events?${queryOf({ ...names, limit })}`)).events
}

export const oneEvent = (id) => get(`v1/events/${encodeURIComponent(id)}`)

export const pictureUrl = (id, width) => `v1/events/${encodeURIComponent(id)}/image?width=${width}`

/** Why the service gives no link to a picture. */
export async function pictureProblem(id) {
	const response = await ask(pictureUrl(id, 160), { redirect: 'manual' })
	return response.type === 'opaqueredirect' ? undefined : problemOf(response)
}

/** Not decoded yet: each decoding costs a frame, and tiles share theirs. */
export function loadPicture(url, signal) {
	const picture = new Image()
	picture.alt = ''
	return new Promise((resolve, reject) => {
		signal.onabort = () => reject(picture.removeAttribute('src'))
		picture.onload = () => resolve(picture)
		picture.onerror = reject
		picture.src = url
	})
}

export function openEvents(after, { onOpen, onEvent, onFault }) {
	const source = new EventSource(`v1/events/stream?after=${after}`)
	source.onopen = onOpen
	source.addEventListener('snapshot', ({ data }) => onEvent(JSON.parse(data)))
	source.onerror = onFault
	return source
}

export function sleep(ms, signal) {
	return new Promise((resolve) => {
		if (signal.aborted) return resolve(undefined)
		// Not on the signal itself: it would keep what waited once.
		AbortSignal.any([signal, AbortSignal.timeout(ms)]).onabort = resolve
	})
}

export async function learnFacts() {
	const paths = ['v1/registrations', 'v1/sinks', 'v1/audit', 'readyz']
	const [{ registrations = null }, { sinks = null }, { audits }, ready] = await Promise.all(paths.map(answerOf))
	const text = await (await ask('metrics')).text()
	const bytes = (name) => Number(new RegExp(`^snaphook_store_${name} (.+)`, 'm').exec(text)?.[1] ?? 0) || null
	return {
		registrations,
		sinks,
		audits: audits ?? ready.audits ?? null,
		replicas: ready.replicas ?? null,
		storeFailing: ready.store === 'failing' ? `${ready.reasons}` : null,
		storeUsed: bytes('bytes'),
		storeMax: bytes('max_bytes'),
	}
}

async function answerOf(path) {
	const response = await ask(path).catch(() => undefined)
	return response?.ok || response?.status === 503 ? response.json().catch(() => ({})) : {}
}
