// The health line, always in view, and the details behind it: registrations, sinks, audit, replicas, store.
/** @import { Chip, Connection, Facts } from '../types.d.ts' */
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

/** @param {Connection} connection */
export function showConnection(connection, now) {
	const chip = byId('connection')
	const [level, words] = CONNECTION[connection.kind]
	const isLost = connection.kind === 'lost'
	chip.dataset.level = level
	setText(chip.lastChild, isLost ? `${words} ${ageInWords(now - connection.since)} ago` : words)
	chip.title = isLost
		? `Since ${localTime(connection.since, now)}. Pictures are from before; the page keeps trying.`
		: ''
}

/** @param {Chip[]} chips */
export function showHealth(chips, href) {
	const links = chips.map(({ id, level, text }) => {
		const link = byId(`chip-${id}`) ?? el('a', { id: `chip-${id}`, className: 'chip' }, shape(), el('span'))
		link.href = href(id)
		for (const line of [link, ...byId(`part-${id}`).querySelectorAll('p')]) {
			line.dataset.level = level
			setText(line.lastChild, text)
		}
		return link
	})
	for (const id of ['callbacks', 'store']) byId(`part-${id}`).hidden = !chips.some((chip) => chip.id === id)
	const line = byId('health')
	// Links that stay are not touched: one of them may have the focus.
	if (links.length !== line.children.length || links.some((link) => !link.isConnected))
		line.replaceChildren(...links)
}

/** A part that this service does not have is not shown. A row begins with a level. */
function fill(id, rows) {
	byId(`part-${id}`).hidden = !rows
	const cells = (row) =>
		row.map((content, index) => el('td', {}, ...(index === 0 ? [shape()] : []), content ?? ''))
	const body = byId(`part-${id}`).querySelector('tbody')
	body.replaceChildren(
		...(rows ?? []).map(([level, ...row]) => el('tr', { 'data-level': level }, ...cells(row))),
	)
}

/** @param {Facts} facts */
export function showDetails({ registrations, sinks, audits, replicas, perMinute, storeUsed, storeMax }) {
	const time = (iso) => (iso === null ? 'never' : timeElement(iso))
	const words = (state) => state.replaceAll('_', ' ')
	setText(
		byId('store-size'),
		storeUsed && storeMax ? `${bytesInWords(storeUsed)} of ${bytesInWords(storeMax)}` : '',
	)
	fill(
		'registrations',
		registrations?.map(({ domain, state, lastCallbackAt, detail }) => [
			registrationLevel(state),
			domain,
			words(state),
			time(lastCallbackAt),
			detail,
		]),
	)
	fill(
		'sinks',
		sinks?.map((sink) => [
			sinkLevel(sink, perMinute),
			sink.name,
			sinkInWords(sink),
			grouped(sink.lag),
			grouped(sink.deadLetters),
			sink.detail,
		]),
	)
	fill(
		'audit',
		audits?.map(({ domain, state, auditedUntil, missed, filled, detail }) => [
			{ ok: 'ok', off: 'unknown' }[state] ?? 'warn',
			domain,
			words(state),
			time(auditedUntil),
			grouped(missed),
			grouped(filled),
			detail,
		]),
	)
	fill(
		'replicas',
		replicas?.map(({ name, detail }) => ['ok', name, detail]),
	)
}
