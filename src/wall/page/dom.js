// Builds elements; text of a body is never markup.
import { localTime, utcTime } from '../logic/words.js'
import { serviceNow } from './api.js'

/** Names with a dash are attributes. @returns {any} */
export function el(tag, props = {}, ...children) {
	const element = document.createElement(tag)
	for (const [name, value] of Object.entries(props)) {
		if (name.includes('-')) element.setAttribute(name, value)
		else element[name] = value
	}
	element.append(...children)
	return element
}

/** @returns {any} */
export const byId = (id) => document.getElementById(id)

export const shape = () => el('i', { className: 'shape' })

/** An unchanged text costs no layout. */
export function setText(node, text) {
	if (node.textContent !== text) node.textContent = text
}

export function timeElement(iso) {
	const at = Date.parse(iso)
	return el('time', { dateTime: iso, title: utcTime(at) }, localTime(at, serviceNow()))
}

/** Over plain HTTP there is no other clipboard. */
export function copyText(text, button) {
	const area = el('textarea', { value: text, className: 'unseen' })
	button.after(area)
	area.select()
	setText(button, document.execCommand('copy') ? 'Copied' : 'Not copied')
	area.remove()
	button.focus()
	setTimeout(() => setText(button, 'Copy as JSON'), 2000)
}
