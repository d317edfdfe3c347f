// One stream: its shot large, a strip of the last ones to walk through, and what the event says. It
// follows the newest shot until somebody walks back.
/** @import { CloudEvent, Stream } from '../types.d.ts' */
import { grouped } from '../logic/ages.js'
import { pictureWidth } from '../logic/fit.js'
import { namesOf, titleOf } from '../logic/streams.js'
import { FLAGS, noPicture } from '../logic/words.js'
import { lastShots, loadPicture, oneEvent, pictureProblem, pictureUrl } from './api.js'
import { byId, el, setData, setText } from './dom.js'
import { STATE_WORDS } from './tile.js'
import { timeElement } from './times.js'

const STRIP = 24
const THUMB_WIDTH = 160
/** The picture of the link to it. */
const FULL_WIDTH = 1920

/** `onShot` is told which shot is looked at: '' for the newest. @param {{ stream(key: string): Stream | undefined, onShot(id: string): void }} deps */
export function createOneStream({ stream, onShot }) {
  const [big, note, strip, newer] = ['big', 'one-note', 'strip', 'newer'].map(byId)
  let key = ''
  /** Newest first. @type {CloudEvent[]} */
  let shots = []
  /** The id of the shot that is shown. */
  let shown = ''
  let isFollowing = true
  let loading = new AbortController()

  const indexOf = (id) => shots.findIndex((shot) => shot.id === id)

  function thumb({ id, data }) {
    const button = el('button', { type: 'button', onclick: () => select(indexOf(id)) })
    const onerror = () => button.classList.add('broken')
    const src = pictureUrl(id, THUMB_WIDTH)
    button.dataset.id = id
    button.append(
      el('img', { alt: '', loading: 'lazy', decoding: 'async', onerror, src }),
      timeElement(data.capturedAt ?? data.receivedAt),
    )
    return button
  }

  /** Only what changed is touched: thumbs that stay are not loaded again. */
  function drawStrip() {
    const there = new Map([...strip.children].map((button) => [button.dataset.id, button]))
    const wanted = shots.toReversed().map((shot) => there.get(shot.id) ?? thumb(shot))
    for (const button of there.values()) if (!wanted.includes(button)) button.remove()
    for (const [index, button] of wanted.entries()) {
      if (strip.children[index] !== button) strip.insertBefore(button, strip.children[index])
      const isShown = button.dataset.id === shown
      button.setAttribute('aria-current', isShown)
      button.tabIndex = isShown ? 0 : -1
      if (!isShown) continue
      strip.scrollLeft = button.offsetLeft - (strip.clientWidth - button.offsetWidth) / 2
    }
  }

  function select(index) {
    const shot = shots[Math.min(Math.max(index, 0), shots.length - 1)]
    if (shot === undefined) return
    isFollowing = shot === shots[0]
    draw(shot)
    onShot(isFollowing ? '' : shot.id)
  }

  /** @param {CloudEvent} shot */
  function draw(shot) {
    const isNew = shot.id !== shown
    shown = shot.id
    drawStrip()
    const count = indexOf(shown)
    newer.hidden = count === 0
    setText(newer, `${count} newer`)
    if (!isNew) return
    const { capturedAt, receivedAt, origin, bucket, endpoint, object, seq, flags, ...body } = shot.data
    const interval = stream(key)?.intervalSeconds ?? null
    const facts = {
      Captured: capturedAt === null ? 'not known' : timeElement(capturedAt),
      Received: timeElement(receivedAt),
      'Exact UTC': capturedAt ?? receivedAt,
      Interval: interval === null ? 'not known yet' : `about ${interval} s`,
      Origin: origin,
      Bucket: [bucket ?? 'not known', endpoint].filter(Boolean).join(' at '),
      Object: object ?? 'not known',
      Event: `${grouped(seq)}, ${shown}`,
      Flags: flags.map((flag) => `${flag}: ${FLAGS[flag] ?? ''}`).join('; ') || 'none',
    }
    byId('one-facts').replaceChildren(
      ...Object.entries(facts).flatMap(([name, value]) => [el('dt', {}, name), el('dd', {}, value)]),
    )
    setText(byId('raw'), body.raw ?? `${body.rawBase64} (base64: the bytes are not UTF-8)`)
    byId('open').href = pictureUrl(shown, FULL_WIDTH)
    void drawPicture(shown)
  }

  async function drawPicture(id) {
    loading.abort()
    loading = new AbortController()
    const { signal } = loading
    try {
      const width = pictureWidth(big.clientWidth, devicePixelRatio)
      const picture = await loadPicture(pictureUrl(id, width), signal)
      if (signal.aborted) return
      picture.alt = 'The shot'
      big.replaceChildren(picture)
      setText(note, '')
    } catch {
      const problem = signal.aborted ? undefined : await pictureProblem(id).catch(() => undefined)
      if (signal.aborted) return
      big.replaceChildren()
      setText(note, noPicture('refused', problem).long)
    }
  }

  /** @param {string} [shotId] After a lost connection, shots may have come: the one that is shown stays. */
  async function load(shotId = isFollowing ? '' : shown) {
    const asked = key
    try {
      const found = await lastShots(namesOf(asked), STRIP)
      if (shotId !== '' && !found.some(({ id }) => id === shotId)) found.push(await oneEvent(shotId))
      if (asked !== key) return
      shots = found
      const shot = shots[indexOf(shotId)] ?? shots[0]
      if (shot === undefined) setText(note, 'No shot of this stream is kept any more.')
      else draw(shot)
    } catch (error) {
      if (asked === key) setText(note, String(error.message))
    }
  }

  return {
    load,
    /** @param {string} shotId '' for the newest */
    open(nextKey, shotId) {
      if (nextKey === key) {
        if (shotId !== (isFollowing ? '' : shown)) select(indexOf(shotId))
        return
      }
      key = nextKey
      shots = []
      shown = ''
      isFollowing = shotId === ''
      for (const part of [big, strip, byId('one-facts'), byId('raw')]) part.replaceChildren()
      setText(note, '')
      setText(byId('one-title'), titleOf(namesOf(key)))
      void load(shotId)
    },
    close() {
      key = ''
      shots = []
      loading.abort()
    },
    /** @param {CloudEvent} event */
    onEvent(of, event) {
      if (of !== key || shots.length === 0 || indexOf(event.id) !== -1) return
      shots.unshift(event)
      // What is looked at stays, however many come.
      while (shots.length > STRIP && shots.at(-1)?.id !== shown) shots.pop()
      draw(isFollowing ? event : (shots[indexOf(shown)] ?? event))
    },
    refresh(state, isPinned) {
      const { domain, app } = namesOf(key)
      setData(byId('one'), 'state', state)
      const where = [STATE_WORDS[state], app, domain].filter(Boolean).join(' · ')
      setText(byId('one-state').lastChild, where)
      setText(byId('pin'), isPinned ? '★ Unpin' : '☆ Pin')
    },
    /** -1 is the older neighbour. */
    walk: (step) => select(indexOf(shown) - step),
    json: () => JSON.stringify(shots[indexOf(shown)], null, 2),
  }
}
