// The wall: puts the parts together. The view is the URL; streams come over the connection; what
// changes is written at most four times a second, and what only ages once a second.
/** @import { Connection, Facts, View } from './types.d.ts' */
import { grouped } from './logic/ages.js'
import { healthOf } from './logic/health.js'
import { createLive } from './logic/live.js'
import { createRate } from './logic/rate.js'
import { createStreams, stateOf, titleOf } from './logic/streams.js'
import { isFiltered, neighbour, ORDERS, readView, SIZES, STATES, togglePin, writeView } from './logic/view.js'
import { emptyState } from './logic/words.js'
import { createAnnouncer } from './page/announcer.js'
import { learnFacts, listStreams, MOST_STREAMS, newestSeq, serviceNow } from './page/api.js'
import { createBar } from './page/bar.js'
import { copyText } from './page/copy.js'
import { showDetails } from './page/details.js'
import { byId, setText } from './page/dom.js'
import { listenToSignIn, showEmpty } from './page/empty.js'
import { createGrid } from './page/grid.js'
import { showConnection, showHealth } from './page/health-line.js'
import { listenToKeys } from './page/keys.js'
import { createOneStream } from './page/one-stream.js'
import { openEvents, sleep } from './page/transport.js'

const FLUSH_MS = 250
const TICK_MS = 1000
/** Tiles in an order that changes move this often, not with every shot. */
const SORT_TICKS = 4
const FACTS_TICKS = 8
/** A connection that is back sooner than this leaves the tiles as they are. */
const GRACE_MS = 3000
/** A page that nobody sees gives its connection back after this. */
const HIDDEN_MS = 60_000

let view = readView(location.search)
/** @type {Connection} */
let connection = { kind: 'connecting' }
/** @type {Omit<Facts, 'perMinute'> | undefined} */
let facts
let isLoaded = false
let isCut = false
/** @type {{ short: string, long: string } | undefined} */
let trouble
let ticks = 0
let hiddenTimer
/** Whether closing a dialog goes back in the history, to where it was opened. */
let isDeeper = false

const streams = createStreams()
const rate = createRate()
const announcer = createAnnouncer()
/** @type {Set<string>} */
const fresh = new Set()

const isKnown = () => connection.kind === 'live' || (connection.kind === 'lost' && serviceNow() - connection.since < GRACE_MS)
const hrefOf = (changes) => writeView({ ...view, ...changes }) || '?'
const stateIn = (stream) => (isKnown() ? stateOf(stream, serviceNow()) : 'unknown')

const grid = createGrid({
  streams,
  view: () => view,
  href: (key) => hrefOf({ stream: key }),
  isKnown,
  onTrouble(why) {
    if (trouble?.long === why?.long) return
    trouble = why
    drawNotice()
  },
})
const one = createOneStream({ stream: streams.get, onShot: (shot) => go({ shot }) })
const drawBar = createBar((changes) => go(changes))

const live = createLive({
  async streams(signal) {
    const { q, domain, app, state } = view
    const filter = Object.entries({ q, domain, app, state }).filter(([, value]) => value !== '')
    const query = filter.map(([name, value]) => `&${name}=${encodeURIComponent(value)}`).join('')
    const list = await listStreams(query, signal)
    isCut = list.isCut
    return list.streams
  },
  newest: newestSeq,
  open: openEvents,
  onStreams(list) {
    const isFirst = !isLoaded
    isLoaded = true
    streams.replace(list)
    if (isFirst) void begin()
    arrange()
    grid.tick()
    if (view.stream !== '' && !isFirst) void one.load()
  },
  onEvent(event) {
    const before = streams.size
    const key = streams.apply(event)
    if (key !== undefined) fresh.add(key)
    if (streams.size !== before) arrange()
    if (key !== undefined) one.onEvent(key, event)
  },
  onConnection(next) {
    const before = connection.kind
    connection = next
    if (next.kind !== before) {
      if (next.kind === 'lost') announcer.say('Connection lost.')
      if (next.kind === 'live' && before === 'lost') announcer.say('Connected again.')
    }
    if (next.kind === 'signed_out') isLoaded = false
    draw()
    grid.tick()
  },
  onNewest: (seq) => rate.note(Date.now(), seq),
  now: serviceNow,
  sleep,
})

/** What a page asks for once it may: the figures behind the health line. */
async function begin() {
  await Promise.all([
    learn(),
    newestSeq(undefined, '1m').then((seq) => seq > 0 && rate.note(Date.now() - 60_000, seq)),
    fetch('v1/streams?limit=1', { credentials: 'omit' }).then(({ status }) => {
      byId('sign-out').hidden = status !== 401
    }),
  ]).catch(() => {})
}

async function learn() {
  facts = await learnFacts()
  drawHealth()
  if (streams.size === 0) draw()
}

/** @param {Partial<View>} changes @param {boolean} [isStep] Whether "back" leads to what was before. */
function go(changes, isStep = false) {
  view = { ...view, ...changes }
  isDeeper = isStep || (isDeeper && (view.stream !== '' || view.details !== ''))
  history[isStep ? 'pushState' : 'replaceState'](null, '', hrefOf({}))
  draw()
  arrange()
}

function arrange() {
  if (!isLoaded) return
  grid.arrange()
  drawPlace()
  grid.resize()
}

function drawPlace() {
  const { kind } = connection
  if (kind === 'signed_out') return showEmpty('sign-in')
  if (kind === 'forbidden') {
    setText(byId('forbidden'), connection.detail)
    return showEmpty('forbidden')
  }
  if (!isLoaded) return
  if (streams.size === 0) showEmpty(emptyState(facts?.registrations ?? null), facts?.registrations)
  else showEmpty(grid.order().length === 0 ? 'no-match' : '')
}

/** All but the tiles. */
function draw() {
  const now = serviceNow()
  document.body.classList.toggle('stale', isLoaded && !isKnown())
  showConnection(connection, now)
  drawPlace()
  drawHealth()
  drawNotice()
  drawDialogs()
  if (!isLoaded) return
  const all = [...streams.all()]
  const values = (name, list) => [...new Set(list.map((stream) => stream[name]))].filter((value) => value !== null).sort()
  const counts = streams.counts(view, now)
  drawBar(view, {
    domains: values('domain', all),
    apps: values('app', all.filter(({ domain }) => view.domain === '' || domain === view.domain)),
    counts,
  })
  byId('bar').hidden = !view.bar || streams.size === 0
  const wrong = [counts.silent && `${counts.silent} silent`, counts.late && `${counts.late} late`].filter(Boolean)
  document.title = [isKnown() ? wrong.join(', ') : 'connection lost', 'snaphook'].filter(Boolean).join(' · ')
}

function drawHealth() {
  const chips = facts === undefined || !isLoaded ? [] : healthOf({ ...facts, perMinute: rate.perMinute() })
  showHealth(chips, (details) => hrefOf({ details, stream: '' }))
  if (facts !== undefined) showDetails({ ...facts, perMinute: rate.perMinute() }, chips)
}

function drawNotice() {
  const notice = byId('notice')
  const cut = `These are ${grouped(MOST_STREAMS)} of the streams: filter to see others.`
  const text = !isKnown() || streams.size === 0 ? '' : trouble ? `${trouble.short}: ${trouble.long}` : isCut ? cut : ''
  notice.hidden = text === ''
  setText(notice, text)
}

function drawDialogs() {
  const isOne = view.stream !== '' && isLoaded
  toggle('one', isOne)
  toggle('details', view.details !== '' && isLoaded)
  if (!isOne) return one.close()
  one.open(view.stream, view.shot)
  const stream = streams.get(view.stream)
  one.refresh(stream === undefined ? 'unknown' : stateIn(stream), view.pins.includes(view.stream))
}

function toggle(id, isOpen) {
  const dialog = byId(id)
  if (dialog.open === isOpen) return
  if (!isOpen) return dialog.close()
  dialog.showModal()
  if (id === 'details') byId(`part-${view.details}`)?.scrollIntoView()
}

/** Closes what is open: back to where it was opened from, or to the wall. */
function close() {
  if (byId('keys').open) return byId('keys').close()
  const { stream } = view
  if (isDeeper) history.back()
  else go({ stream: '', shot: '', details: '' })
  if (stream !== '') grid.focus(stream)
}

function tick() {
  ticks += 1
  draw()
  grid.tick()
  if (isKnown()) {
    announcer.states([...streams.all()].map((each) => ({ key: each.key, title: titleOf(each), state: stateIn(each) })))
  } else announcer.forget()
  const isMoving = view.order !== 'name' || view.state !== ''
  if (isMoving && ticks % SORT_TICKS === 0) arrange()
  if (ticks % FACTS_TICKS === 0 && isLoaded && !document.hidden) void learn()
}

function flush() {
  if (fresh.size === 0) return
  grid.show(fresh)
  fresh.clear()
}

function pin(key) {
  if (key === '') return
  go(togglePin(view, key))
}

/** The stream before or after the one that is shown. */
function step(by) {
  go({ stream: neighbour(grid.order(), view.stream, by) ?? '', shot: '' })
}

addEventListener('popstate', () => {
  view = readView(location.search)
  isDeeper = false
  draw()
  arrange()
})
addEventListener('resize', grid.resize)
document.addEventListener('visibilitychange', () => {
  clearTimeout(hiddenTimer)
  if (document.hidden) hiddenTimer = setTimeout(live.stop, HIDDEN_MS)
  else if (isLoaded) live.start()
})
document.addEventListener('click', (event) => {
  const target = /** @type {HTMLElement} */ (event.target)
  if (target.closest('.close') || target.tagName === 'DIALOG') return close()
  if (target.closest('.pin')) return pin(target.closest('li')?.dataset.key ?? '')
  const link = target.closest('.tile-link, #health a')
  if (link === null || event.ctrlKey || event.metaKey || event.shiftKey) return
  event.preventDefault()
  const { stream, details } = readView(/** @type {HTMLAnchorElement} */ (link).search)
  go({ stream, details, shot: '' }, true)
})
for (const dialog of document.querySelectorAll('dialog')) {
  dialog.addEventListener('cancel', (event) => {
    event.preventDefault()
    close()
  })
}
const onClick = (id, act) => byId(id).addEventListener('click', act)
onClick('show-keys', () => byId('keys').showModal())
onClick('clear', () => go({ q: '', domain: '', app: '', state: '' }))
onClick('newer', () => one.walk(Infinity))
onClick('copy', () => void copyText(one.json(), byId('copy')))
onClick('pin', () => pin(view.stream))
onClick('sign-out', async () => {
  await fetch('sign-out', { method: 'POST' })
  location.reload()
})
listenToSignIn(live.start)

const resizeTiles = (by) => go({ size: SIZES[Math.min(Math.max(SIZES.indexOf(view.size) + by, 0), SIZES.length - 1)] })
const showKeys = () => byId('keys').showModal()
listenToKeys(
  {
    tiles: {
      '?': showKeys,
      '/': () => {
        if (!view.bar) go({ bar: true })
        byId('q').focus()
      },
      ArrowLeft: grid.move,
      ArrowRight: grid.move,
      ArrowUp: grid.move,
      ArrowDown: grid.move,
      p: () => pin(grid.focused()),
      o: () => go({ order: neighbour(ORDERS, view.order, 1) }),
      s: () => go({ state: neighbour(['', ...STATES], view.state, 1) }),
      '+': () => resizeTiles(1),
      '-': () => resizeTiles(-1),
      d: () => go({ details: 'callbacks' }, true),
      b: () => go({ bar: !view.bar }),
      f: () => void (document.fullscreenElement ? document.exitFullscreen() : document.body.requestFullscreen()),
    },
    one: {
      '?': showKeys,
      ArrowLeft: () => one.walk(-1),
      ArrowRight: () => one.walk(1),
      Home: () => one.walk(-Infinity),
      End: () => one.walk(Infinity),
      ArrowUp: () => step(-1),
      ArrowDown: () => step(1),
      p: () => pin(view.stream),
      c: () => void copyText(one.json(), byId('copy')),
    },
  },
  () => (byId('keys').open || view.details !== '' ? 'none' : view.stream !== '' ? 'one' : 'tiles'),
)
setInterval(tick, TICK_MS)
setInterval(flush, FLUSH_MS)
draw()
live.start()
