// The health line: always in view, in words; each part leads to its details.
/** @import { Chip, Connection } from '../types.d.ts' */
import { ageInWords, localTime } from '../logic/ages.js'
import { byId, el, setData, setText } from './dom.js'

const CONNECTION = {
  connecting: ['unknown', 'Connecting'],
  live: ['ok', 'Live'],
  lost: ['bad', 'Connection lost'],
  signed_out: ['unknown', 'Signed out'],
  forbidden: ['bad', 'Refused'],
}

/** @param {Chip[]} chips */
export function showHealth(chips, href) {
  const nav = byId('health')
  for (const [index, { id, level, text }] of chips.entries()) {
    const link =
      nav.children[index] ??
      nav.appendChild(el('a', { className: 'chip' }, el('i', { className: 'shape' }), el('span')))
    link.href = href(id)
    setData(link, 'level', level)
    setText(link.lastChild, text)
  }
  while (nav.children.length > chips.length) nav.lastChild.remove()
}

/** @param {Connection} connection */
export function showConnection(connection, now) {
  const chip = byId('connection')
  const [level, words] = CONNECTION[connection.kind]
  setData(chip, 'level', level)
  if (connection.kind !== 'lost') return setText(chip.lastChild, words)
  setText(chip.lastChild, `${words} ${ageInWords(now - connection.since)} ago`)
  chip.title = `Since ${localTime(connection.since, now)}. Pictures are from before; the page keeps trying.`
}
