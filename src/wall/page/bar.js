// The bar: which streams are shown, in what order, and how large.
import { byId, el, setText } from './dom.js'

function fillOptions(id, all, values, value) {
	const select = byId(id)
	const wanted = value === '' || values.includes(value) ? values : [...values, value]
	select.hidden = wanted.length < 2 && value === ''
	const texts = [all, ...wanted]
	if (select.textContent === texts.join('')) return
	select.replaceChildren(...texts.map((text, index) => el('option', { value: index === 0 ? '' : text }, text)))
}

export function showBar(view, { domains, apps, counts }) {
	fillOptions('domain', 'All domains', domains, view.domain)
	fillOptions('app', 'All apps', apps, view.app)
	for (const id of ['domain', 'app', 'order', 'size']) byId(id).value = view[id]
	if (document.activeElement !== byId('q')) byId('q').value = view.q
	for (const input of byId('bar').querySelectorAll('[name=state]')) {
		input.checked = view.state === input.value
		setText(input.parentElement.lastElementChild, String(counts[input.value || 'all']))
	}
}
