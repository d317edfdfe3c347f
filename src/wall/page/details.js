// The details behind the health line: registrations, sinks, audit, replicas and the store.
/** @import { Chip, Facts } from '../types.d.ts' */
import { bytesInWords, grouped } from '../logic/ages.js'
import { sinkInWords, sinkLevel } from '../logic/health.js'
import { registrationLevel } from '../logic/words.js'
import { byId, el, setData, setText } from './dom.js'
import { timeElement } from './times.js'

/** A part that this service does not have is not shown. Rows begin with a level. */
function fill(id, rows) {
  const part = byId(`part-${id}`)
  part.hidden = !rows
  const body = part.querySelector('tbody')
  const cell = (content, index) =>
    el('td', {}, ...(index === 0 ? [el('i', { className: 'shape' })] : []), content)
  body.replaceChildren(
    ...(rows ?? []).map(([level, ...cells]) => el('tr', { 'data-level': level }, ...cells.map(cell))),
  )
}

/** @param {Facts} facts @param {Chip[]} chips */
export function showDetails({ registrations, sinks, audits, replicas, perMinute, ...store }, chips) {
  const time = (iso, none) => (iso === null ? none : timeElement(iso))
  const words = (state) => state.replaceAll('_', ' ')
  for (const { id, level, text } of chips) {
    const line = byId(`part-${id}`).querySelector('p')
    if (line === null) continue
    setData(line, 'level', level)
    setText(line.lastChild, text)
  }
  if (store.storeUsed !== null && store.storeFailing === null) {
    const most = store.storeMax === null ? '' : ` of ${bytesInWords(store.storeMax)}`
    setText(byId('part-store').querySelector('span'), `${bytesInWords(store.storeUsed)}${most} used`)
  }
  fill(
    'registrations',
    registrations?.map(({ domain, state, lastCallbackAt, detail }) => [
      registrationLevel(state),
      domain,
      words(state),
      time(lastCallbackAt, 'never'),
      detail ?? '',
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
      sink.detail ?? '',
    ]),
  )
  fill(
    'audit',
    audits?.map(({ domain, state, auditedUntil, missed, filled, detail }) => [
      state === 'ok' ? 'ok' : state === 'off' ? 'unknown' : 'warn',
      domain,
      words(state),
      time(auditedUntil, 'not yet'),
      grouped(missed),
      grouped(filled),
      detail ?? '',
    ]),
  )
  fill('replicas', replicas?.map(({ name, detail }) => ['ok', name, detail]))
}
