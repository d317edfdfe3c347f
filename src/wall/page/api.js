// The API of the service, as the page asks it. URLs are relative: the page may stand behind a path.
/** @import { CloudEvent, Facts, Problem } from '../types.d.ts' */
import { Refused } from '../logic/live.js'

const PAGE = 1000
/** More tiles than this help nobody: a filter finds the rest. */
export const MOST_STREAMS = 2000
/** `Date` has whole seconds, and answers take their time: less than this is no difference. */
const CLOCK_TOLERANCE_MS = 1500

let clockOffset = 0

/** Epoch ms by the clock of the service, so that no age depends on the clock of the viewer. */
export const serviceNow = () => Date.now() + clockOffset

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

/** @param {Response} response @returns {Promise<Problem>} */
export async function problemOf(response) {
	const said = await response.json().catch(() => ({}))
	const title = said.title ?? `answer ${response.status}`
	return { status: response.status, title, detail: said.detail ?? said.error ?? title }
}

/** All streams or, of very many, the first that `filter` leaves. */
export async function listStreams(filter, signal) {
	const all = await pages('', signal)
	return all.isCut && filter !== '' ? pages(filter, signal) : all
}

async function pages(filter, signal) {
	const streams = []
	let next = ''
	do {
		const after = next && `&after=${encodeURIComponent(next)}`
		const page = await get(`v1/streams?limit=${PAGE}&order=name${filter}${after}`, signal)
		streams.push(...page.streams)
		next = page.next
	} while (next && streams.length < MOST_STREAMS)
	return { streams, isCut: Boolean(next) }
}

/** The seq of the newest event, or of the newest before `until`; 0 if there is none. */
export async function newestSeq(signal, until = '') {
	const { events } = await get(`v1/events?limit=1${until && `&until=${until}`}`, signal)
	return events[0]?.data.seq ?? 0
}

/** The last shots of one stream, newest first. @returns {Promise<CloudEvent[]>} */
export async function lastShots(names, limit) {
	const query = new URLSearchParams({ limit })
	for (const [name, value] of Object.entries(names)) if (value !== null) query.set(name, value)
	return (await get(`v1/events?${query}`)).events
}

/** @returns {Promise<CloudEvent>} */
export const oneEvent = (id) => get(`v1/events/${encodeURIComponent(id)}`)

export const pictureUrl = (id, width) => `v1/events/${encodeURIComponent(id)}/image?width=${width}`

/** What the service says of a picture that did not load; undefined if it gave a link to it. */
export async function pictureProblem(id) {
	const response = await ask(pictureUrl(id, 160), { redirect: 'manual' })
	return response.type === 'opaqueredirect' ? undefined : problemOf(response)
}

/** Loads a picture, and resolves once it is decoded and can be shown without a flicker. */
export async function loadPicture(url, signal) {
	const picture = new Image()
	picture.alt = ''
	signal.addEventListener('abort', () => picture.removeAttribute('src'), { once: true })
	picture.src = url
	await picture.decode()
	return picture
}

export function openEvents(after, { onOpen, onEvent, onFault }) {
	const source = new EventSource(`v1/events/stream?after=${after}`)
	source.addEventListener('open', onOpen)
	source.addEventListener('snapshot', ({ data }) => onEvent(JSON.parse(data)))
	source.addEventListener('error', onFault)
	return source
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function sleep(ms, signal) {
	return new Promise((resolve) => {
		const timer = setTimeout(end, ms)
		function end() {
			clearTimeout(timer)
			signal.removeEventListener('abort', end)
			resolve(undefined)
		}
		if (signal.aborted) end()
		else signal.addEventListener('abort', end)
	})
}

/** What the health line shows; what this service does not tell is null. @returns {Promise<Facts>} */
export async function learnFacts() {
	const paths = ['readyz', 'v1/registrations', 'v1/sinks', 'v1/audit']
	const [ready, { registrations }, { sinks }, { audits }] = await Promise.all(paths.map(answerOf))
	const text = await ask('metrics')
		.then((response) => response.text())
		.catch(() => '')
	const bytes = (name) =>
		Number(new RegExp(`^snaphook_store_${name} (\\S+)$`, 'm').exec(text)?.[1] ?? Number.NaN) || null
	return {
		registrations: registrations ?? ready.registrations ?? null,
		sinks: sinks ?? ready.sinks ?? null,
		audits: audits ?? null,
		replicas: ready.replicas ?? null,
		storeFailing: ready.store === 'failing' ? String(ready.reasons?.[0] ?? '') : null,
		storeUsed: bytes('bytes'),
		storeMax: bytes('max_bytes'),
		perMinute: null,
	}
}

/** `readyz` says why with a 503; what is not there tells nothing. */
async function answerOf(path) {
	const response = await ask(path).catch(() => undefined)
	return response?.ok || response?.status === 503 ? response.json().catch(() => ({})) : {}
}
