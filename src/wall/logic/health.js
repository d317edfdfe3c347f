// The health line, in words, and the rate of callbacks.
import { bytesInWords, grouped, registrationLevel } from './words.js'

/** A sink that is behind by less is not behind; by a minute of callbacks if that is more. */
const LAG_LEAST = 100
const STORE_WARN = 0.8
const STORE_BAD = 0.95
const MINUTE = 60_000
const LEAST = 10_000

const REGISTRATION = {
	pending: 'being registered',
	conflict: 'registered elsewhere',
	failed: 'not registered',
	released: 'deregistered',
}

const many = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`

export function healthOf(facts) {
	const { perMinute, registrations, sinks, audits } = facts
	const parts = {
		callbacks: perMinute !== null && [perMinute ? 'ok' : 'warn', `${many(perMinute, 'callback')} a minute`],
		registrations: registrations?.length && registrationPart(registrations),
		sinks: sinks && sinkPart(sinks, perMinute),
		audit: audits?.length && auditPart(audits),
		store: storePart(facts),
	}
	return Object.entries(parts).flatMap(([id, part]) => (part ? [{ id, level: part[0], text: part[1] }] : []))
}

function registrationPart(all) {
	const wrong = all.filter(({ state }) => state !== 'in_sync')
	if (wrong.length === 0) return ['ok', `${many(all.length, 'domain')} in sync`]
	const { domain, state } = wrong.find((each) => each.state !== 'pending') ?? wrong[0]
	const more = wrong.length > 1 ? `, ${wrong.length - 1} more not in sync` : ''
	return [registrationLevel(state), `${domain} ${REGISTRATION[state] ?? state}${more}`]
}

export function sinkLevel({ state, lag, deadLetters }, perMinute) {
	const isBehind = lag > Math.max(LAG_LEAST, perMinute ?? 0)
	if (state === 'refused' || (state !== 'ok' && isBehind)) return 'bad'
	return state !== 'ok' || isBehind || deadLetters > 0 ? 'warn' : 'ok'
}

export function sinkInWords({ state, lag, deadLetters }) {
	const behind = lag > 0 && `${grouped(lag)} behind`
	const dead = deadLetters > 0 && many(deadLetters, 'dead letter')
	const how = { ok: '', refused: 'refuses', failing: 'fails' }[state] ?? state
	return [how, behind, dead].filter(Boolean).join(', ') || 'up to date'
}

function sinkPart(all, perMinute) {
	const wrong = all.filter((sink) => sinkLevel(sink, perMinute) !== 'ok')
	if (wrong.length === 0) return ['ok', `${many(all.length, 'sink')} up to date`]
	const worst = wrong.find((sink) => sinkLevel(sink, perMinute) === 'bad') ?? wrong[0]
	const more = wrong.length > 1 ? `, ${wrong.length - 1} more in trouble` : ''
	return [sinkLevel(worst, perMinute), `sink ${worst.name} ${sinkInWords(worst)}${more}`]
}

function auditPart(all) {
	const missed = all.reduce((sum, each) => sum + each.missed, 0)
	const wrong = all.find(({ state }) => state !== 'ok' && state !== 'off')
	const what = [
		missed > 0 && `${many(missed, 'shot')} missed`,
		wrong && `audit ${wrong.state.replaceAll('_', ' ')}: ${wrong.domain}`,
	]
	const text = what.filter(Boolean).join(', ')
	if (text !== '') return [missed > 0 && wrong ? 'bad' : 'warn', text]
	return all.every(({ state }) => state === 'off') ? ['unknown', 'audit off'] : ['ok', 'no shot missed']
}

function storePart({ storeFailing, storeUsed, storeMax }) {
	if (storeFailing !== null) return ['bad', `store fails: ${storeFailing}`]
	if (storeUsed === null || !storeMax) return storeUsed !== null && ['ok', `store ${bytesInWords(storeUsed)}`]
	const share = storeUsed / storeMax
	const level = share >= STORE_BAD ? 'bad' : share >= STORE_WARN ? 'warn' : 'ok'
	return [level, `store ${share < 0.01 ? 'under 1' : Math.round(share * 100)} % used`]
}

/** From two numbers of events. */
export function createRate() {
	let seen = []
	return {
		note(at, seq) {
			// Another log.
			if (seq < seen.at(-1)?.seq) seen = []
			seen.push({ at, seq })
			while (seen.length > 2 && seen[1].at <= at - MINUTE) seen.shift()
		},
		/** Null while too little is known. */
		perMinute() {
			const first = seen[0]
			const last = seen.at(-1)
			if (first === undefined || last.at - first.at < LEAST) return null
			return Math.round(((last.seq - first.seq) * MINUTE) / (last.at - first.at))
		},
	}
}
