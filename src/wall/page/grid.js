// The grid of tiles: which are there and in what order, which are in view, and what they show. All
// that changes with time is written in one go, for the tiles in view only.
/** @import { State, Stream, View } from '../types.d.ts' */
/** @import { Tile } from './tile.js' */
import { columnsFor, GAP, pictureWidth } from '../logic/fit.js'
import { createPictures } from '../logic/pictures.js'
import { stateOf } from '../logic/streams.js'
import { noPicture } from '../logic/words.js'
import { loadPicture, pictureProblem, pictureUrl, serviceNow } from './api.js'
import { byId } from './dom.js'
import { createTile } from './tile.js'

/** Tiles made in one go: hundreds at once would hold the page up. */
const BATCH = 40
/** Pixels of a tile below its picture, as in wall.css. */
const CAPTION = 46

/**
 * @param {{
 *   streams: ReturnType<import('../logic/streams.js').createStreams>,
 *   view(): View,
 *   href(key: string): string,
 *   isKnown(): boolean,
 *   onTrouble(why: { short: string, long: string } | undefined): void,
 * }} deps `isKnown`: false while the connection is lost, when nobody knows the state of a stream
 */
export function createGrid({ streams, view, href, isKnown, onTrouble }) {
  const list = byId('tiles')
  /** @type {Map<string, Tile>} */
  const tiles = new Map()
  /** @type {Set<string>} */
  const inView = new Set()
  /** @type {string[]} */
  let order = []
  let width = 320
  let focused = ''
  let building = 0
  let asking = false

  const pictures = createPictures({
    load: (_key, shot, signal) => loadPicture(pictureUrl(shot.id, width), signal),
    shown: (key, _shot, picture) => {
      tiles.get(key)?.setPicture(picture)
      onTrouble(undefined)
    },
    failed: (key, shot, why) => void explain(key, shot.id, why),
    schedule: (run, ms) => setTimeout(run, ms),
    cancel: clearTimeout,
  })

  const seen = new IntersectionObserver(
    (entries) => {
      for (const { target, isIntersecting } of entries) {
        const { key = '' } = /** @type {HTMLElement} */ (target).dataset
        if (isIntersecting) inView.add(key)
        else if (inView.delete(key)) pictures.drop(key)
      }
      show(inView)
    },
    { rootMargin: '100px' },
  )

  /** One question at a time: all tiles of a bucket fail for the same reason. */
  async function explain(key, id, why) {
    tiles.get(key)?.setNote(noPicture(why).short)
    if (asking) return
    asking = true
    try {
      const said = noPicture(why, why === 'slow' ? undefined : await pictureProblem(id))
      tiles.get(key)?.setNote(said.short, said.long)
      if (pictures.isInTrouble()) onTrouble(said)
    } catch {
      // The connection is lost, and the page says so.
    } finally {
      asking = false
    }
  }

  /** Makes, moves and removes tiles until they are what the view asks for. */
  function arrange() {
    const wanted = streams.arrange(view(), serviceNow())
    order = wanted.map(({ key }) => key)
    const kept = new Set(order)
    for (const [key, { item }] of tiles) {
      if (kept.has(key)) continue
      seen.unobserve(item)
      item.remove()
      tiles.delete(key)
      inView.delete(key)
      pictures.forget(key)
    }
    building += 1
    build(wanted, 0, building)
  }

  function build(wanted, from, turn) {
    if (turn !== building) return
    const pins = new Set(view().pins)
    let made = 0
    let index = from
    for (; index < wanted.length && made < BATCH; index += 1) {
      const stream = wanted[index]
      let tile = tiles.get(stream.key)
      if (tile === undefined) {
        tile = createTile(stream, href(stream.key))
        tiles.set(stream.key, tile)
        tile.setState(known(stream))
        tile.setAge(serviceNow() - stream.takenAt)
        seen.observe(tile.item)
        made += 1
      }
      tile.setPinned(pins.has(stream.key))
      const there = list.children[index]
      if (there !== tile.item) list.insertBefore(tile.item, there ?? null)
    }
    if (index < wanted.length) requestAnimationFrame(() => build(wanted, index, turn))
    if (!tiles.has(focused)) focus(order[0] ?? '', false)
  }

  /** @param {Stream} stream @returns {State} */
  function known(stream) {
    return isKnown() ? stateOf(stream, serviceNow()) : 'unknown'
  }

  /** Writes what is new of these tiles. */
  function show(keys) {
    const now = serviceNow()
    for (const key of keys) {
      const tile = tiles.get(key)
      const stream = streams.get(key)
      if (tile === undefined || stream === undefined) continue
      tile.setState(known(stream))
      if (!inView.has(key)) continue
      tile.setAge(now - stream.takenAt)
      if (isKnown()) pictures.want(key, stream.latest)
    }
  }

  function resize() {
    const { size } = view()
    const box = list.getBoundingClientRect()
    list.dataset.size = size
    if (size === 'fit') {
      const height = innerHeight - (box.top + scrollY) - GAP
      const screen = { count: order.length, width: list.clientWidth - 2 * GAP, height, caption: CAPTION }
      list.style.setProperty('--columns', String(columnsFor(screen)))
    }
    const first = list.firstElementChild
    if (first !== null) width = pictureWidth(first.clientWidth, devicePixelRatio)
  }

  /** Tab leads to one tile; the arrow keys go on from there. */
  function focus(key, isMoving) {
    tiles.get(focused)?.link.setAttribute('tabindex', '-1')
    focused = key
    const tile = tiles.get(key)
    if (tile === undefined) return
    tile.link.tabIndex = 0
    if (isMoving) tile.link.focus()
  }

  const columns = () => getComputedStyle(list).gridTemplateColumns.split(' ').length

  list.addEventListener('focusin', ({ target }) => {
    const item = /** @type {Element} */ (target).closest('li')
    if (item !== null) focus(item.dataset.key, false)
  })

  return {
    arrange,
    resize,
    show,
    /** All tiles: once a second, for states and ages. */
    tick: () => show(tiles.keys()),
    order: () => order,
    focused: () => focused,
    focus: (key) => focus(key, true),
    move(key) {
      const step = { ArrowLeft: -1, ArrowRight: 1, ArrowUp: -columns(), ArrowDown: columns() }[key]
      const to = order[order.indexOf(focused) + step]
      if (to !== undefined) focus(to, true)
    },
  }
}
