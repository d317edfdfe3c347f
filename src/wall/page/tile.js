// One tile: picture, name, state in text, shape and colour, and age.
import { titleOf } from '../logic/streams.js'
import { ageInWords } from '../logic/words.js'
import { byId, setText } from './dom.js'

export function createTile(stream, href) {
	const { key, domain, app } = stream
	const title = titleOf(stream)
	const where = app === null ? domain : `${app} · ${domain}`
	const item = byId('tile').content.firstElementChild.cloneNode(true)
	const [link, picture, note, name, state, age, place, pin] = item.querySelectorAll('[class]:not(.frame, .row, .shape)')
	item.dataset.key = key
	link.href = href
	setText(name, title)
	name.title = `${title} · ${where}`
	setText(place, where)
	pin.setAttribute('aria-label', `Pin ${title}`)

	return {
		item,
		link,
		setState(next) {
			if (next === item.dataset.state) return
			item.dataset.state = next
			setText(state, next)
		},
		setAge: (ms) => setText(age, ageInWords(ms)),
		setPinned(isPinned) {
			item.classList.toggle('pinned', isPinned)
			pin.setAttribute('aria-pressed', isPinned)
		},
		setPicture(image) {
			picture.replaceChildren(image)
			setText(note, '')
		},
		setNote(text, long = '') {
			setText(note, text)
			note.title = long
		},
	}
}
