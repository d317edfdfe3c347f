// The health line, always in view, and the details behind it.
import { sinkInWords, sinkLevel } from '../logic/health.js'
import { ageInWords, bytesInWords, grouped, localTime, registrationLevel } from '../logic/words.js'
import { byId, el, setText, shape, timeElement } from './dom.js'

const CONNECTION = {
	connecting: ['unknown', 'Connecting'],
	live: ['ok', 'Live'],
	lost: ['bad', 'Connection lost'],
	signed_out: ['unknown', 'Signed out'],
	forbidden: ['bad', 'Refused'],
}

export function showConnection(connection, now) {
	const chip = byId('connection')
	const [level, words] = CONNECTION[connection.kind]
	const isLost = connection.kind === 'lost'
	chip.dataset.level = level
	setText(chip.lastChild, isLost ? `${words} ${ageInWords(now - connection.since)} ago` : words)
	chip.title = isLost ? `Since ${localTime(connection.since, now)}` : ''
}

/** What was learned before the connection was lost is not what is. */
export function showHealth(chips, isKnown, href) {
	const links = chips.map(({ id, level, text }) => {
		const link = byId(`chip-${id}`) ?? el('a', { id: `chip-${id}`, className: 'chip' }, shape(), el('span'))
		link.href = href(id)
		for (const line of [link, ...byId(`part-${id}`).querySelectorAll('p')]) {
			line.dataset.level = isKnown ? level : 'unknown'
			setText(line.lastChild, text)
		}
		return link
	})
	for (const id of ['callbacks', 'store']) byId(`part-${id}`).hidden = !chips.some((chip) => chip.id === id)
	const line = byId('health')
	if (links.length !== line.children.length || links.some((link) => !link.isConnected)) line.replaceChildren(...links)
}

/** How columns are shown: `data-as` in index.html. */
const CELLS = {
	text: (value) => value ?? '',
	list: (value) => value.join(', '),
	words: (value) => value.replaceAll('_', ' '),
	count: grouped,
	time: (value) => (value === null ? 'never' : timeElement(value)),
	sink: (_value, sink) => sinkInWords(sink),
}

function fill(id, list, levelOf) {
	const part = byId(`part-${id}`)
	part.hidden = !list
	const columns = [...part.querySelectorAll('th')].map(({ dataset }) => dataset)
	const rows = (list ?? []).map((each) => {
		const cells = columns.map(({ name, as = 'text' }) => el('td', {}, CELLS[as](each[name], each)))
		cells[0].prepend(shape())
		return el('tr', { 'data-level': levelOf(each) }, ...cells)
	})
	part.querySelector('tbody').replaceChildren(...rows)
}

export function showDetails({ registrations, sinks, audits, replicas, perMinute, storeUsed, storeMax }) {
	setText(byId('store-size'), storeUsed && storeMax ? `${bytesInWords(storeUsed)} of ${bytesInWords(storeMax)}` : '')
	fill('registrations', registrations, ({ state }) => registrationLevel(state))
	fill('sinks', sinks, (sink) => sinkLevel(sink, perMinute))
	fill('audit', audits, ({ state }) => ({ ok: 'ok', off: 'unknown' })[state] ?? 'warn')
	fill('replicas', replicas, ({ seenSeconds }) => (seenSeconds < 10 ? 'ok' : 'bad'))
}
