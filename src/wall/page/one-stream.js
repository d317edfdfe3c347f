// One stream: its shot large, a strip of the last ones to walk through, and what the event says. It follows
// the newest shot until somebody walks back.
/** @import { CloudEvent, Streams } from '../types.d.ts' */
import { pictureWidth } from '../logic/fit.js'
import { namesOf, titleOf } from '../logic/streams.js'
import { FLAGS, noPicture } from '../logic/words.js'
import { lastShots, loadPicture, oneEvent, pictureProblem, pictureUrl } from './api.js'
import { byId, el, setText, timeElement } from './dom.js'
import { STATE_WORDS } from './tile.js'

const STRIP = 24
const THUMB_WIDTH = 160
/** Of the picture that the link leads to. */
const FULL_WIDTH = 1920

/** `onShot` is told which shot is looked at: '' for the newest. @param {Streams} streams */
export function createOneStream({ streams }, onShot) {
	const [big, note, strip, newer, facts, raw] = ['big', 'one-note', 'strip', 'newer', 'one-facts', 'raw'].map(
		byId,
	)
	let key = ''
	/** Newest first. @type {CloudEvent[]} */
	let shots = []
	/** The id of the shot that is shown. */
	let shown = ''
	let isFollowing = true
	let loading = new AbortController()

	const indexOf = (id) => shots.findIndex((shot) => shot.id === id)

	/** @param {CloudEvent} event */
	function thumb({ id, data }) {
		const onerror = () => button.classList.add('broken')
		const picture = el('img', { alt: '', loading: 'lazy', onerror, src: pictureUrl(id, THUMB_WIDTH) })
		const onclick = () => select(indexOf(id))
		const time = timeElement(data.capturedAt ?? data.receivedAt)
		const button = el('button', { type: 'button', 'data-id': id, onclick }, picture, time)
		return button
	}

	/** Only what changed is touched: thumbs that stay are not loaded again. */
	function drawStrip() {
		const there = new Map([...strip.children].map((button) => [button.dataset.id, button]))
		const wanted = shots.toReversed().map((shot) => there.get(shot.id) ?? thumb(shot))
		for (const button of there.values()) if (!wanted.includes(button)) button.remove()
		for (const [index, button] of wanted.entries()) {
			if (strip.children[index] !== button) strip.insertBefore(button, strip.children[index] ?? null)
			const isShown = button.dataset.id === shown
			button.setAttribute('aria-current', isShown)
			button.tabIndex = isShown ? 0 : -1
			if (isShown) strip.scrollLeft = button.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2
		}
	}

	function select(index) {
		const shot = shots[Math.min(Math.max(index, 0), shots.length - 1)]
		if (shot === undefined) return
		isFollowing = shot === shots[0]
		draw(shot)
		onShot(isFollowing ? '' : shot.id)
	}

	/** @param {CloudEvent} shot */
	function draw({ id, data }) {
		const isNew = id !== shown
		shown = id
		drawStrip()
		newer.hidden = isFollowing
		setText(newer, `${indexOf(id)} newer`)
		if (!isNew) return
		const { capturedAt, receivedAt, origin, bucket, endpoint, object, seq, flags } = data
		const interval = streams.get(key)?.intervalSeconds
		const rows = {
			Captured: capturedAt ? timeElement(capturedAt) : 'not known',
			Received: timeElement(receivedAt),
			'Exact UTC': capturedAt ?? receivedAt,
			Interval: interval ? `about ${interval} s` : 'not known yet',
			Origin: origin,
			Bucket: [bucket ?? 'not known', endpoint].filter(Boolean).join(' at '),
			Object: object ?? 'not known',
			Event: `${seq}, ${id}`,
			Flags: flags.map((flag) => `${flag}: ${FLAGS[flag] ?? ''}`).join('; ') || 'none',
		}
		facts.replaceChildren(
			...Object.entries(rows).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
		)
		setText(raw, data.raw ?? `${data.rawBase64} (base64: the bytes are not UTF-8)`)
		byId('open').href = pictureUrl(id, FULL_WIDTH)
		void drawPicture(id)
	}

	async function drawPicture(id) {
		loading.abort()
		loading = new AbortController()
		const { signal } = loading
		try {
			const picture = await loadPicture(
				pictureUrl(id, pictureWidth(big.clientWidth, devicePixelRatio)),
				signal,
			)
			if (signal.aborted) return
			picture.alt = 'The shot'
			big.replaceChildren(picture)
			setText(note, '')
		} catch {
			const problem = signal.aborted ? undefined : await pictureProblem(id).catch(() => undefined)
			if (signal.aborted) return
			big.replaceChildren()
			setText(note, noPicture('refused', problem).long)
		}
	}

	/** After a lost connection, shots may have come: the one that is shown stays. */
	async function load(shotId = isFollowing ? '' : shown) {
		const asked = key
		try {
			const found = await lastShots(namesOf(asked), STRIP)
			if (shotId !== '' && !found.some(({ id }) => id === shotId)) found.push(await oneEvent(shotId))
			if (asked !== key) return
			shots = found
			const shot = shots[indexOf(shotId)] ?? shots[0]
			if (shot === undefined) setText(note, 'No shot of this stream is kept any more.')
			else draw(shot)
		} catch (error) {
			if (asked === key) setText(note, error.message)
		}
	}

	return {
		load,
		/** @param {string} shotId '' for the newest */
		open(nextKey, shotId) {
			if (nextKey === key) {
				if (shots.length > 0 && shotId !== (isFollowing ? '' : shown)) select(indexOf(shotId))
				return
			}
			this.close()
			key = nextKey
			isFollowing = shotId === ''
			for (const part of [big, strip, facts, raw, note]) part.replaceChildren()
			setText(byId('one-title'), titleOf(namesOf(key)))
			void load(shotId)
		},
		close() {
			key = ''
			shots = []
			shown = ''
			loading.abort()
		},
		/** @param {CloudEvent} event */
		onEvent(of, event) {
			if (of !== key || shots.length === 0 || indexOf(event.id) !== -1) return
			shots.unshift(event)
			// What is looked at stays, however many come.
			while (shots.length > STRIP && shots.at(-1)?.id !== shown) shots.pop()
			draw(isFollowing ? event : shots[indexOf(shown)])
		},
		refresh(state, isPinned) {
			const { domain, app } = namesOf(key)
			byId('one').dataset.state = state
			setText(byId('one-state').lastChild, [STATE_WORDS[state], app, domain].filter(Boolean).join(' · '))
			setText(byId('pin'), isPinned ? '★ Unpin' : '☆ Pin')
		},
		/** -1 is the older neighbour. */
		walk: (step) => select(indexOf(shown) - step),
		json: () => JSON.stringify(shots[indexOf(shown)], null, 2),
	}
}
