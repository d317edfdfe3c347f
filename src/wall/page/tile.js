// One tile: the picture of a stream, its name, its state in text, shape and colour, and its age.
/** @import { State, Stream } from '../types.d.ts' */
import { ageInWords } from '../logic/ages.js'
import { titleOf } from '../logic/streams.js'
import { byId, setData, setText } from './dom.js'

export const STATE_WORDS = { live: 'Live', late: 'Late', silent: 'Silent', unknown: 'Not known' }

/** @typedef {ReturnType<typeof createTile>} Tile */

/** @param {Stream} stream */
export function createTile(stream, href) {
  const { key, domain, app } = stream
  const title = titleOf(stream)
  const where = app === null ? domain : `${app} · ${domain}`
  const item = byId('tile').content.firstElementChild.cloneNode(true)
  const find = (name) => item.querySelector(`.${name}`)
  const [link, picture, note, state, age, pin] = 
    ['tile-link', 'picture', 'note', 'state', 'age', 'pin'].map(find)
  item.dataset.key = key
  link.href = href
  find('name').textContent = title
  find('name').title = `${title} · ${where}`
  find('place').textContent = where
  let shown = ''

  return {
    item,
    link,
    /** A reader hears the name and the state, but no age, which never rests. @param {State} next */
    setState(next) {
      if (next === shown) return
      shown = next
      setData(item, 'state', next)
      setText(state, STATE_WORDS[next])
      link.setAttribute('aria-label', `${title}, ${where}: ${STATE_WORDS[next]}`)
    },
    setAge: (ms) => setText(age, ageInWords(ms)),
    setPinned(isPinned) {
      item.classList.toggle('pinned', isPinned)
      pin.setAttribute('aria-pressed', isPinned)
      pin.setAttribute('aria-label', `Pin ${title}`)
    },
    setPicture(image) {
      picture.replaceChildren(image)
      setText(note, '')
    },
    /** Said over the last picture, or in its place. */
    setNote(text, long = '') {
      setText(note, text)
      note.title = long
    },
  }
}
