// The view is the URL, so that it can be bookmarked and shared.

export const ORDERS = ['name', 'recent', 'stalest']
export const SIZES = ['fit', 's', 'm', 'l', 'xl']
export const STATES = ['', 'live', 'late', 'silent']

/** The first is the default. */
const CHOICES = { state: STATES, order: ORDERS, size: SIZES }
const TEXTS = ['q', 'domain', 'app', 'stream', 'shot', 'details']

/** What is missing or wrong is as by default. @returns {Wall.View} */
export function readView(search) {
	const asked = new URLSearchParams(search)
	const view = { pins: [...new Set(asked.getAll('pin'))], bar: asked.get('bar') !== 'off' }
	for (const name of TEXTS) view[name] = asked.get(name) ?? ''
	for (const [name, list] of Object.entries(CHOICES)) {
		view[name] = list.find((each) => each === asked.get(name)) ?? list[0]
	}
	return /** @type {any} */ (view)
}

export function writeView(view) {
	const query = new URLSearchParams()
	for (const name of [...TEXTS, ...Object.keys(CHOICES)]) {
		if (view[name] !== (CHOICES[name]?.[0] ?? '')) query.set(name, view[name])
	}
	for (const pin of view.pins) query.append('pin', pin)
	if (!view.bar) query.set('bar', 'off')
	return `?${query.toString().replaceAll('%2F', '/')}`
}

export function neighbour(list, current, step) {
	return list.at((list.indexOf(current) + step) % list.length)
}
