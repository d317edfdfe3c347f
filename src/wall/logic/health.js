// The health line: what was learned of the service, in words, with the worst part of each first.
/** @import { Chip, Facts } from '../types.d.ts' */
import { bytesInWords, grouped, registrationLevel } from './words.js'

/** A sink is behind by more than a minute of callbacks, or than this if few come. */
const LAG_LEAST = 100
/** The share of its limit at which a store is worth a look, and at which it is nearly full. */
const STORE_WARN = 0.8
const STORE_BAD = 0.95

/** What a state says to somebody who has not read the manual. */
const REGISTRATION = {
	pending: 'being registered',
	conflict: 'registered elsewhere',
	failed: 'not registered',
	released: 'deregistered',
}
const AUDIT = {
	behind: 'audit behind',
	failing: 'audit fails',
	not_permitted: 'audit not permitted',
	cannot_compare: 'audit cannot compare',
	doubtful: 'audit in doubt',
}

const many = (count, noun) => `${grouped(count)} ${noun}${count === 1 ? '' : 's'}`

/** The parts of the line; what is not known has no part. @param {Facts} facts @returns {Chip[]} */
export function healthOf(facts) {
	const { perMinute, registrations, sinks, audits } = facts
	const parts = {
		callbacks: perMinute !== null && [perMinute ? 'ok' : 'warn', `${many(perMinute, 'callback')} a minute`],
		registrations: registrations && registrationPart(registrations),
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
	const wrong = all.find(({ state }) => AUDIT[state])
	const what = [
		missed > 0 && `${many(missed, 'shot')} missed`,
		wrong && `${AUDIT[wrong.state]}: ${wrong.domain}`,
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
