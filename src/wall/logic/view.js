// The view and the URL: one is read from the other, so that a view can be bookmarked and shared.
/** @import { View } from '../types.d.ts' */

export const ORDERS = /** @type {const} */ (['name', 'recent', 'stalest'])
export const SIZES = /** @type {const} */ (['fit', 's', 'm', 'l', 'xl'])
export const STATES = /** @type {const} */ (['live', 'late', 'silent'])

/** @type {View} */
const PLAIN = {
  q: '',
  domain: '',
  app: '',
  state: '',
  order: 'name',
  size: 'fit',
  pins: [],
  bar: true,
  stream: '',
  shot: '',
  details: '',
}

/** What the URL does not say, or says wrongly, is as by default. @returns {View} */
export function readView(search) {
  const asked = new URLSearchParams(search)
  const text = (name) => asked.get(name) ?? ''
  return {
    q: text('q'),
    domain: text('domain'),
    app: text('app'),
    state: oneOf(STATES, text('state')) ?? PLAIN.state,
    order: oneOf(ORDERS, text('order')) ?? PLAIN.order,
    size: oneOf(SIZES, text('size')) ?? PLAIN.size,
    pins: [...new Set(asked.getAll('pin'))],
    bar: text('bar') !== 'off',
    stream: text('stream'),
    shot: text('shot'),
    details: text('details'),
  }
}

/** The query of a view, with what differs from the default. @param {View} view */
export function writeView(view) {
  const query = new URLSearchParams()
  for (const name of /** @type {const} */ (['q', 'domain', 'app', 'state', 'order', 'size'])) {
    if (view[name] !== PLAIN[name]) query.set(name, view[name])
  }
  for (const pin of view.pins) query.append('pin', pin)
  if (!view.bar) query.set('bar', 'off')
  for (const name of /** @type {const} */ (['stream', 'shot', 'details'])) {
    if (view[name] !== '') query.set(name, view[name])
  }
  const text = query.toString().replaceAll('%2F', '/')
  return text === '' ? '' : `?${text}`
}

/** @param {View} view @returns {View} */
export function togglePin(view, key) {
  const isPinned = view.pins.includes(key)
  const pins = isPinned ? view.pins.filter((pin) => pin !== key) : [...view.pins, key]
  return { ...view, pins }
}

/** @param {View} view */
export function isFiltered({ q, domain, app, state }) {
  return `${q}${domain}${app}${state}` !== ''
}

/** The next of a list, around its end. @template T @param {readonly T[]} list @param {T} current */
export function neighbour(list, current, step) {
  const index = list.indexOf(current) + step
  return /** @type {T} */ (list.at(index % list.length))
}

/** @template T @param {readonly T[]} list */
function oneOf(list, value) {
  return list.find((each) => each === value)
}
