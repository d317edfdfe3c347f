// One stream: its shot large, a strip of the last ones, and what the event says. It follows the newest shot
// until somebody walks back.
import { pictureWidth } from '../logic/fit.js'
import { namesOf, titleOf } from '../logic/streams.js'
import { noPicture } from '../logic/words.js'
import { lastShots, loadPicture, oneEvent, pictureProblem, pictureUrl } from './api.js'
import { byId, el, setText, timeElement } from './dom.js'

const STRIP = 24
const THUMB_WIDTH = 160
const FULL_WIDTH = 1920

/** `onShot` gets '' for the newest. */
export function createOneStream(onShot) {
	const [big, note, strip, newer, facts, raw] = ['big', 'one-note', 'strip', 'newer', 'one-facts', 'raw'].map(byId)
	let key = ''
	/** Newest first. */
	let shots = []
	let shown = ''
	let isFollowing = true
	let loading = new AbortController()

	const indexOf = (id) => shots.findIndex((shot) => shot.id === id)

	function thumb({ id, data }) {
		const onerror = () => (picture.style.opacity = 0)
		const picture = el('img', { alt: '', loading: 'lazy', onerror, src: pictureUrl(id, THUMB_WIDTH) })
		const onclick = () => select(indexOf(id))
		const time = timeElement(data.capturedAt ?? data.receivedAt)
		return el('button', { 'data-id': id, onclick }, picture, time)
	}

	/** Thumbs are loaded once. */
	function drawStrip() {
		const there = new Map([...strip.children].map((button) => [button.dataset.id, button]))
		const hadFocus = strip.contains(document.activeElement)
		strip.replaceChildren(...shots.toReversed().map((shot) => there.get(shot.id) ?? thumb(shot)))
		for (const button of strip.children) {
			const isShown = button.dataset.id === shown
			button.setAttribute('aria-current', isShown)
			button.tabIndex = isShown ? 0 : -1
			if (!isShown) continue
			strip.scrollLeft = button.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2
			if (hadFocus) button.focus()
		}
	}

	function select(index) {
		const shot = shots[Math.min(Math.max(index, 0), shots.length - 1)]
		if (shot === undefined) return
		isFollowing = shot === shots[0]
		draw(shot)
		onShot(isFollowing ? '' : shot.id)
	}

	function draw({ id, data }) {
		const isNew = id !== shown
		shown = id
		drawStrip()
		newer.hidden = isFollowing
		setText(newer, `${indexOf(id)} newer`)
		if (!isNew) return
		const { capturedAt, receivedAt, origin, bucket, endpoint, object, seq, flags } = data
		const rows = {
			Captured: capturedAt ? timeElement(capturedAt) : 'not known',
			Received: timeElement(receivedAt),
			'Exact UTC': capturedAt ?? receivedAt,
			Origin: origin,
			Bucket: [bucket ?? 'not known', endpoint].filter(Boolean).join(' at '),
			Object: object ?? 'not known',
			Event: `${seq}, ${id}`,
			Flags: flags.map((flag) => `${flag}: ${byId(flag)?.textContent}`).join('; ') || 'none',
		}
		facts.replaceChildren(...Object.entries(rows).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]))
		setText(raw, data.raw ?? `${data.rawBase64} (base64: the bytes are not UTF-8)`)
		byId('open').href = pictureUrl(id, FULL_WIDTH)
		void drawPicture(id)
	}

	/** What is there stands for what is not yet. */
	function preview(selector) {
		const small = document.querySelector(selector)
		if (small?.naturalWidth) big.replaceChildren(small.cloneNode())
	}

	async function drawPicture(id) {
		loading.abort()
		loading = new AbortController()
		const { signal } = loading
		preview(`#strip [data-id="${id}"] img`)
		try {
			const picture = await loadPicture(pictureUrl(id, pictureWidth(big.clientWidth, devicePixelRatio)), signal)
			await picture.decode()
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
		/** `shotId`: '' for the newest. */
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
			if (isFollowing) preview(`[data-key=${CSS.escape(key)}] img`)
			void load(shotId)
		},
		close() {
			key = ''
			shots = []
			shown = ''
			loading.abort()
		},
		onEvent(of, event) {
			if (of !== key || shots.length === 0 || indexOf(event.id) !== -1) return
			shots.unshift(event)
			// What is looked at stays.
			while (shots.length > STRIP && shots.at(-1)?.id !== shown) shots.pop()
			draw(isFollowing ? event : shots[indexOf(shown)])
		},
		refresh(state, isPinned) {
			const { domain, app } = namesOf(key)
			byId('one').dataset.state = state
			setText(byId('one-state').lastChild, [state, app, domain].filter(Boolean).join(' · '))
			setText(byId('pin'), isPinned ? '★ Unpin' : '☆ Pin')
		},
		/** -1 is the older neighbour. */
		walk: (step) => select(indexOf(shown) - step),
		json: () => JSON.stringify(shots[indexOf(shown)], null, 2),
	}
}
