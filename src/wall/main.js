// The wall: puts the parts together.
import { createRate, healthOf } from './logic/health.js'
import { createLive } from './logic/live.js'
import { createStreams, stateOf, titleOf } from './logic/streams.js'
import { readView, writeView } from './logic/view.js'
import { emptyState, grouped } from './logic/words.js'
import { learnFacts, listStreams, MOST_STREAMS, newestSeq, openEvents, serviceNow, sleep } from './page/api.js'
import { showBar } from './page/bar.js'
import { byId, setText } from './page/dom.js'
import { listenToSignIn, showEmpty } from './page/empty.js'
import { createGrid } from './page/grid.js'
import { showConnection, showDetails, showHealth } from './page/health.js'
import { listenToInput } from './page/input.js'
import { createOneStream } from './page/one-stream.js'

/** A frame costs as much for one tile as for many. */
const BEAT_MS = 250
const TICK_BEATS = 4
const SORT_BEATS = 16
const FACTS_BEATS = 32
/** What was known a moment ago still holds. */
const GRACE_MS = 3000
/** A page that nobody sees gives its connection back. */
const HIDDEN_MS = 60_000
const NAMED = 3

let view = readView(location.search)
/** @type {Wall.Connection} */
let connection = { kind: 'connecting' }
let facts
let isLoaded = false
let listedAt = 0
let isCut = false
/** Why no bucket gives pictures. */
let trouble
let beats = 0
let hiddenTimer
/** Closing then goes back in the history. */
let isDeeper = false

const streams = createStreams()
const rate = createRate()
/** Streams with news. */
const fresh = new Set()
/** What a screen reader was told of each. */
const heard = new Map()

const isKnown = () => connection.kind === 'live' || serviceNow() - (connection.since ?? listedAt) < GRACE_MS
const stateNow = (stream) => (isKnown() && stream ? stateOf(stream, serviceNow()) : 'unknown')
const href = (changes) => writeView({ ...view, ...changes })
const say = (sentence) => setText(byId('spoken'), sentence)

const grid = createGrid({
	streams,
	view: () => view,
	href: (stream) => href({ stream }),
	stateOf: stateNow,
	onTrouble: (why) => {
		trouble = why
	},
})
const one = createOneStream((shot) => go({ shot }))
const live = createLive({
	async streams(signal) {
		const { q, domain, app, state } = view
		const list = await listStreams({ q, domain, app, state }, signal)
		isCut = list.isCut
		return list.streams
	},
	newest: newestSeq,
	open: openEvents,
	onStreams(list) {
		streams.replace(list)
		listedAt = serviceNow()
		if (!isLoaded) begin().catch(() => {})
		else if (view.stream !== '') void one.load()
		isLoaded = true
		grid.forgive()
		arrange()
	},
	onEvent(event) {
		const before = streams.streams.size
		const key = streams.apply(event)
		if (key === undefined) return
		fresh.add(key)
		one.onEvent(key, event)
		if (streams.streams.size !== before) arrange()
	},
	onConnection(next) {
		if (next.kind === 'lost' && connection.kind !== 'lost') say('Connection lost.')
		if (next.kind === 'live' && connection.kind === 'lost') say('Connected again.')
		connection = next
		if (next.kind === 'signed_out') isLoaded = false
		draw()
	},
	onNewest: (seq) => rate.note(Date.now(), seq),
	now: serviceNow,
	sleep,
})

async function begin() {
	void learn()
	const open = await fetch('v1/streams?limit=1', { credentials: 'omit' })
	byId('sign-out').hidden = open.status !== 401
	const seq = await newestSeq(undefined, '1m')
	if (seq > 0) rate.note(Date.now() - 60_000, seq)
}

async function learn() {
	facts = await learnFacts().catch(() => facts)
	draw()
}

/** `isStep`: "back" leads to what was before. @param {Partial<Wall.View>} changes */
function go(changes, isStep = false) {
	view = { ...view, ...changes }
	isDeeper = isStep || (isDeeper && view.stream + view.details !== '')
	history[isStep ? 'pushState' : 'replaceState'](null, '', href({}))
	draw()
	arrange()
}

function close() {
	if (byId('keys').open) return byId('keys').close()
	const { stream } = view
	if (isDeeper) history.back()
	else go({ stream: '', shot: '', details: '' })
	grid.focus(stream)
}

function pin(key) {
	const pins = view.pins.filter((each) => each !== key)
	go({ pins: pins.length === view.pins.length ? [...pins, key] : pins })
}

function arrange() {
	if (!isLoaded) return
	grid.arrange()
	drawPlace()
	grid.resize()
}

function drawPlace() {
	if (connection.kind === 'signed_out') return showEmpty('sign-in')
	if (connection.kind === 'forbidden') {
		setText(byId('forbidden'), connection.detail)
		return showEmpty('forbidden')
	}
	if (!isLoaded) return
	const empty = streams.streams.size === 0 ? emptyState(facts?.registrations ?? []) : 'no-match'
	showEmpty(grid.order().length === 0 ? empty : '', facts?.registrations ?? [])
}

function draw() {
	const now = serviceNow()
	document.body.classList.toggle('stale', isLoaded && !isKnown())
	showConnection(connection, now)
	drawPlace()
	drawDialogs()
	byId('bar').hidden = !isLoaded || !view.bar || streams.streams.size === 0
	byId('notice').hidden = !isKnown() || !(trouble || isCut)
	const cut = `These are ${grouped(MOST_STREAMS)} of the streams: filter to see others.`
	setText(byId('notice'), trouble ? `${trouble.short}: ${trouble.long}` : cut)
	if (!isLoaded) return
	const all = [...streams.streams.values()]
	const ofDomain = all.filter(({ domain }) => view.domain === '' || domain === view.domain)
	const counts = streams.counts(view, now, stateNow)
	const distinct = (values) => [...new Set(values)].filter(Boolean).sort()
	const domains = distinct(all.map(({ domain }) => domain))
	showBar(view, { domains, apps: distinct(ofDomain.map(({ app }) => app)), counts })
	const { silent, late } = counts
	const wrong = isKnown() ? [silent && `${silent} silent`, late && `${late} late`] : ['connection lost']
	document.title = [...wrong, 'snaphook'].filter(Boolean).join(' · ')
	if (facts === undefined) return
	const known = { ...facts, perMinute: rate.perMinute() }
	showHealth(healthOf(known), isKnown(), (details) => href({ details, stream: '' }))
	if (view.details !== '') showDetails(known)
}

function drawDialogs() {
	toggle('details', isLoaded && view.details !== '')
	if (toggle('one', isLoaded && view.stream !== '')) {
		one.open(view.stream, view.shot)
		one.refresh(stateNow(streams.streams.get(view.stream)), view.pins.includes(view.stream))
	} else one.close()
}

function toggle(id, isOpen) {
	const dialog = byId(id)
	if (isOpen && !dialog.open) {
		dialog.showModal()
		byId(`part-${view.details}`)?.scrollIntoView()
	}
	if (!isOpen) dialog.close()
	return isOpen
}

/** Reads out states that changed, never a shot. */
function announce() {
	if (!isKnown()) return heard.clear()
	const changed = []
	for (const stream of streams.streams.values()) {
		const state = stateNow(stream)
		const before = heard.get(stream.key)
		heard.set(stream.key, state)
		if (before !== undefined && before !== state) changed.push(`${titleOf(stream)} is ${state}`)
	}
	if (changed.length > NAMED) changed.splice(NAMED, Infinity, `${changed.length - NAMED} more changed`)
	if (changed.length > 0) say(changed.join(', '))
}

function beat() {
	beats += 1
	if (beats % TICK_BEATS === 0) {
		draw()
		grid.resize()
		announce()
	}
	if (beats % SORT_BEATS === 0 && (view.order !== 'name' || view.state !== '')) arrange()
	if (beats % FACTS_BEATS === 0 && isLoaded && !document.hidden) void learn()
	grid.beat(fresh, beats)
	fresh.clear()
}

window.onpopstate = () => {
	view = readView(location.search)
	isDeeper = false
	draw()
	arrange()
}
window.onresize = grid.resize
document.onvisibilitychange = () => {
	clearTimeout(hiddenTimer)
	if (document.hidden) hiddenTimer = setTimeout(live.stop, HIDDEN_MS)
	else if (isLoaded) live.start()
}
listenToInput({ view: () => view, go, close, pin, grid, one })
listenToSignIn(live.start)
setInterval(beat, BEAT_MS)
draw()
live.start()
