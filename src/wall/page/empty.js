// What stands in the place of tiles, and the form for a session.
import { registrationLevel } from '../logic/words.js'
import { problemOf } from './api.js'
import { byId, el, setText, shape, timeElement } from './dom.js'

/** `which`: '' for none. */
export function showEmpty(which, registrations = []) {
	byId('tiles').hidden = which !== ''
	for (const section of /** @type {any} */ (document.querySelectorAll('.empty'))) {
		const isShown = section.dataset.empty === which
		if (isShown) section.querySelector('.domains')?.replaceChildren(...registrations.map(domainItem))
		if (section.hidden !== isShown) continue
		section.hidden = !isShown
		if (isShown) section.querySelector('input')?.focus()
	}
}

function domainItem({ domain, state, detail, lastCallbackAt }) {
	const words = ` ${state.replaceAll('_', ' ')}${detail === null ? '' : `: ${detail}`} `
	const last = lastCallbackAt === null ? [] : ['Last callback: ', timeElement(lastCallbackAt)]
	return el('li', { 'data-level': registrationLevel(state) }, shape(), el('b', {}, domain), words, ...last)
}

export function listenToSignIn(onSignedIn) {
	const token = byId('token')
	// As a form it would have no origin.
	byId('sign-out').onsubmit = async (event) => {
		event.preventDefault()
		await fetch('sign-out', { method: 'POST' }).catch(() => 0)
		location.reload()
	}
	byId('sign-in').onsubmit = async (event) => {
		event.preventDefault()
		const body = new URLSearchParams({ token: token.value.trim() })
		const response = await fetch('sign-in', { method: 'POST', body }).catch(() => undefined)
		setText(byId('sign-in-problem'), await reasonOf(response))
		if (!response?.ok) return token.select()
		token.value = ''
		onSignedIn()
	}
}

async function reasonOf(response) {
	if (response === undefined) return 'The service does not answer.'
	if (response.status === 401) return 'This token is not valid, or has expired.'
	return response.ok ? '' : (await problemOf(response)).detail
}
