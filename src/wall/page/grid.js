// The grid of tiles.
import { columnsFor, GAP, pictureWidth } from '../logic/fit.js'
import { createPictures, LANE_LOADS } from '../logic/pictures.js'
import { noPicture } from '../logic/words.js'
import { loadPicture, pictureProblem, pictureUrl, serviceNow } from './api.js'
import { byId } from './dom.js'
import { createTile } from './tile.js'

/** Hundreds in one go would hold the page up. */
const BATCH = 40
/** Beats until each tile had its turn. */
const TURNS = 4
/** The least width of a tile, in pixels. */
const TILE = { s: 150, m: 230, l: 340, xl: 560 }

/** @param {Wall.GridDeps} deps */
export function createGrid({ streams, view, href, stateOf, onTrouble }) {
	const list = byId('tiles')
	const tiles = new Map()
	const inView = new Set()
	let order = []
	let width = 320
	let focused = ''
	let turn = 0
	let isAsking = false
	/** Loaded, and not shown yet. */
	const arrived = new Map()
	let isBeatFree = true
	let isDecoding = false

	const pictures = createPictures({
		load: (_key, shot, signal) => loadPicture(pictureUrl(shot.id, width), signal),
		shown(key, picture, { id }) {
			arrived.set(key, { picture, id })
			onTrouble()
			if (isBeatFree) void reveal()
		},
		failed: (key, shot, why) => void explain(key, shot.id, why),
		schedule: (run, ms) => setTimeout(run, ms),
		cancel: clearTimeout,
	})

	const seen = new IntersectionObserver(
		(entries) => {
			for (const { target, isIntersecting } of entries) {
				const { key } = /** @type {any} */ (target).dataset
				if (isIntersecting) inView.add(key)
				else if (inView.delete(key)) pictures.drop(key)
			}
			show(inView)
		},
		{ rootMargin: '100px' },
	)

	/** Decoded first: without a flicker. */
	async function reveal() {
		if (isDecoding || arrived.size === 0) return
		isBeatFree = false
		isDecoding = true
		const batch = new Map(arrived)
		arrived.clear()
		const decode = ([key, { picture, id }]) =>
			picture.decode().catch(() => {
				batch.delete(key)
				void explain(key, id, 'refused')
			})
		await Promise.all([...batch].map(decode))
		isDecoding = false
		for (const [key, { picture }] of batch) tiles.get(key)?.setPicture(picture)
	}

	/** `fresh`: keys of streams with news. The others have their turn in some later beat. */
	function beat(fresh, beats) {
		isBeatFree = true
		show(fresh)
		show(order.filter((_, index) => (index + beats) % TURNS === 0))
		if (isDecoding) return
		pictures.beat()
		void reveal()
	}

	/** One question at a time: tiles of a bucket fail for one reason. */
	async function explain(key, id, why) {
		tiles.get(key)?.setNote(noPicture(why).short)
		if (isAsking) return
		isAsking = true
		const problem = why === 'slow' ? undefined : await pictureProblem(id).catch(() => undefined)
		isAsking = false
		const said = noPicture(why, problem)
		tiles.get(key)?.setNote(said.short, said.long)
		if (pictures.isInTrouble()) onTrouble(said)
	}

	function arrange() {
		const wanted = streams.arrange(view(), serviceNow())
		order = wanted.map(({ key }) => key)
		const kept = new Set(order)
		for (const [key, { item }] of tiles) {
			if (kept.has(key)) continue
			seen.unobserve(item)
			item.remove()
			tiles.delete(key)
			inView.delete(key)
			pictures.forget(key)
		}
		turn += 1
		build(wanted, 0, turn)
	}

	function build(wanted, from, ofTurn) {
		if (ofTurn !== turn) return
		const hadFocus = list.contains(document.activeElement)
		let index = from
		for (let made = 0; index < wanted.length && made < BATCH; index += 1) {
			const stream = wanted[index]
			let tile = tiles.get(stream.key)
			if (tile === undefined) {
				tile = createTile(stream, href(stream.key))
				tiles.set(stream.key, tile)
				seen.observe(tile.item)
				// Before the page is drawn.
				if (index < LANE_LOADS) inView.add(stream.key)
			}
			tile.setPinned(view().pins.includes(stream.key))
			const there = list.children[index]
			if (there === tile.item) continue
			list.insertBefore(tile.item, there ?? null)
			made += 1
		}
		show(order.slice(from, index))
		if (index < wanted.length) requestAnimationFrame(() => build(wanted, index, ofTurn))
		if (!tiles.has(focused)) focus(order[0])
		if (hadFocus) focus(focused, true)
	}

	function show(keys) {
		const now = serviceNow()
		for (const key of keys) {
			const tile = tiles.get(key)
			const stream = streams.streams.get(key)
			if (tile === undefined || stream === undefined) continue
			const state = stateOf(stream)
			tile.setState(state)
			if (!inView.has(key)) continue
			tile.setAge(now - stream.takenAt)
			if (state !== 'unknown') pictures.want(key, stream.latest)
		}
	}

	function resize() {
		const top = list.getBoundingClientRect().top + scrollY
		const columns = columnsFor(order.length, list.clientWidth - 2 * GAP, innerHeight - top - GAP)
		const { size } = view()
		list.dataset.size = size
		list.style.setProperty('--tile', `${TILE[size]}px`)
		list.style.setProperty('--columns', String(columns))
		width = pictureWidth(list.firstElementChild?.clientWidth ?? width, devicePixelRatio)
	}

	/** Tab leads to one tile; the arrow keys go on from there. */
	function focus(key, isMoving = false) {
		tiles.get(focused)?.link.setAttribute('tabindex', '-1')
		focused = key
		tiles.get(key)?.link.setAttribute('tabindex', '0')
		if (isMoving) tiles.get(key)?.link.focus()
	}

	list.addEventListener('focusin', ({ target }) => focus(target.closest('li').dataset.key))

	return {
		arrange,
		resize,
		beat,
		forgive: pictures.forgive,
		order: () => order,
		focused: () => focused,
		focus: (key) => focus(key, true),
		move(arrow) {
			const columns = getComputedStyle(list).gridTemplateColumns.split(' ').length
			const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns, ArrowDown: columns }[arrow]
			const to = order[order.indexOf(focused) + step]
			if (to !== undefined) focus(to, true)
		},
	}
}
