// Keys and clicks. The keys are listed in index.html.

import { neighbour, ORDERS, readView, SIZES, STATES } from '../logic/view.js'
import { byId, copyText } from './dom.js'

export function listenToInput(wall) {
	const { view, go, close, pin, grid, one } = wall
	const click = (id) => byId(id).click()
	const step = (by) => go({ stream: neighbour(grid.order(), view().stream, by) ?? '', shot: '' })
	const resize = (by) => go({ size: SIZES[SIZES.indexOf(view().size) + by] ?? view().size })

	const onTiles = {
		'/': () => {
			go({ bar: true })
			byId('q').focus()
		},
		p: () => pin(grid.focused()),
		o: () => go({ order: neighbour(ORDERS, view().order, 1) }),
		s: () => go({ state: neighbour(STATES, view().state, 1) }),
		'+': () => resize(1),
		'-': () => resize(-1),
		d: () => go({ details: 'callbacks' }, true),
		b: () => go({ bar: !view().bar }),
		f: () => void (document.fullscreenElement ? document.exitFullscreen() : document.body.requestFullscreen()),
	}
	const onOne = {
		ArrowLeft: () => one.walk(-1),
		ArrowRight: () => one.walk(1),
		Home: () => one.walk(-1e9),
		End: () => one.walk(1e9),
		ArrowUp: () => step(-1),
		ArrowDown: () => step(1),
		p: () => click('pin'),
		c: () => click('copy'),
	}

	addEventListener('keydown', (/** @type {any} */ event) => {
		const { key, target } = event
		if (event.ctrlKey || event.metaKey || event.altKey) return
		if (target.closest('input:not([type=radio]), select, pre, .wide')) {
			if (key === 'Escape') target.blur()
			return
		}
		const isOpen = byId('keys').open || view().details !== ''
		const bound = isOpen ? {} : view().stream === '' ? onTiles : onOne
		const move = bound === onTiles && key.startsWith('Arrow') ? grid.move : undefined
		const act = key === '?' ? () => click('show-keys') : (bound[key] ?? move)
		if (act === undefined) return
		event.preventDefault()
		act(key)
	})
	document.addEventListener('click', (/** @type {any} */ event) => {
		const { target } = event
		// The backdrop is the dialog.
		if (target.closest('.close') || target.tagName === 'DIALOG') return close()
		if (target.closest('.pin')) return pin(target.closest('li')?.dataset.key)
		const link = target.closest('.tile-link, #health a')
		if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return
		event.preventDefault()
		const { stream, details } = readView(link.search)
		go({ stream, details, shot: '' }, true)
	})
	document.addEventListener('cancel', (event) => event.preventDefault() ?? close(), true)
	byId('bar').oninput = ({ target }) => go({ [target.name]: target.value })
	byId('show-keys').onclick = () => byId('keys').showModal()
	byId('clear').onclick = () => go({ q: '', domain: '', app: '', state: '' })
	byId('newer').onclick = onOne.End
	byId('copy').onclick = () => copyText(one.json(), byId('copy'))
	byId('pin').onclick = () => pin(view().stream)
}
