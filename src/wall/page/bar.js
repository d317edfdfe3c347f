// The bar: which streams are shown, in what order and how large. What is chosen goes to the view.
/** @import { View } from '../types.d.ts' */
import { byId, el, setText } from './dom.js'

export function createBar(change) {
  const bar = byId('bar')
  bar.addEventListener('submit', (event) => event.preventDefault())
  bar.addEventListener('input', ({ target }) => change({ [target.name]: target.value }))

  function options(id, all, values, value) {
    const select = byId(id)
    const wanted = value === '' || values.includes(value) ? values : [...values, value]
    select.hidden = wanted.length < 2 && value === ''
    const texts = [all, ...wanted]
    if ([...select.options].map(({ text }) => text).join('\n') === texts.join('\n')) return
    select.replaceChildren(
      ...texts.map((text, index) => el('option', { value: index === 0 ? '' : text }, text)),
    )
  }

  /** @param {View} view */
  return (view, { domains, apps, counts }) => {
    bar.hidden = !view.bar
    options('domain', 'All domains', domains, view.domain)
    options('app', 'All apps', apps, view.app)
    for (const id of ['domain', 'app', 'order', 'size']) byId(id).value = view[id]
    if (document.activeElement !== byId('q')) byId('q').value = view.q
    for (const input of bar.elements.state) {
      input.checked = view.state === input.value
      setText(input.parentElement.lastElementChild, String(counts[input.value || 'all']))
    }
  }
}
