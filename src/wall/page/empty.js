// What stands in the place of tiles: nothing yet and what to do, nothing matches, or the form for a
// session.
/** @import { Registration } from '../types.d.ts' */
import { registrationLevel } from '../logic/words.js'
import { problemOf } from './api.js'
import { byId, el, setText } from './dom.js'
import { timeElement } from './times.js'

/** @param {string} which '' for none @param {Registration[] | null} [registrations] */
export function showEmpty(which, registrations = null) {
  for (const section of document.querySelectorAll('.empty')) {
    const isShown = section.dataset.empty === which
    if (isShown) fillDomains(section.querySelector('.domains'), registrations ?? [])
    if (section.hidden === !isShown) continue
    section.hidden = !isShown
    if (isShown) section.querySelector('input')?.focus()
  }
  byId('tiles').hidden = which !== ''
}

/** @param {Registration[]} registrations */
function fillDomains(list, registrations) {
  const items = registrations.map(({ domain, state, detail, lastCallbackAt }) =>
    el(
      'li',
      { 'data-level': registrationLevel(state) },
      el('i', { className: 'shape' }),
      el('b', {}, domain),
      ` ${state.replaceAll('_', ' ')}${detail === null ? '' : `: ${detail}`} `,
      ...(lastCallbackAt === null ? [] : ['Last callback: ', timeElement(lastCallbackAt)]),
    ),
  )
  list?.replaceChildren(...items)
}

export function listenToSignIn(onSignedIn) {
  const token = byId('token')
  const problem = byId('sign-in-problem')
  byId('sign-in').addEventListener('submit', async (event) => {
    event.preventDefault()
    setText(problem, '')
    const body = new URLSearchParams({ token: token.value.trim() })
    const response = await fetch('sign-in', { method: 'POST', body }).catch(() => undefined)
    if (response?.ok) {
      token.value = ''
      return onSignedIn()
    }
    setText(problem, await reasonOf(response))
    token.select()
  })
}

async function reasonOf(response) {
  if (response === undefined) return 'The service does not answer.'
  if (response.status === 401) return 'This token is not valid, or has expired.'
  return (await problemOf(response)).detail
}
