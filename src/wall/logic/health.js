// The health line: what was learned of the service, in words, with the worst part of each first.
/** @import { Audit, Chip, Facts, Level, Registration, Sink } from '../types.d.ts' */
import { bytesInWords, grouped } from './ages.js'
import { registrationLevel } from './words.js'

/** A sink is behind by more than a minute of callbacks, or than this if few come. */
const LAG_LEAST = 100
/** The share of its limit at which a store is worth a look, and at which it is nearly full. */
const STORE_WARN = 0.8
const STORE_BAD = 0.95

/** What a state says to somebody who has not read the manual. */
const REGISTRATION = {
  pending: 'being registered',
  conflict: 'registered elsewhere',
  contested: 'contested',
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

/** The parts of the line; what is not known has no part. @param {Facts} facts @returns {Chip[]} */
export function healthOf(facts) {
  const { perMinute, registrations, sinks, audits } = facts
  const parts = [
    perMinute === null ? null : callbackPart(perMinute),
    registrations && registrationPart(registrations),
    sinks && sinkPart(sinks, perMinute),
    audits?.length ? auditPart(audits) : null,
    storePart(facts),
  ]
  return parts.filter((part) => part !== null)
}

/** @returns {Chip} */
function callbackPart(perMinute) {
  const text = `${grouped(perMinute)} ${perMinute === 1 ? 'callback' : 'callbacks'} a minute`
  return { id: 'callbacks', level: perMinute === 0 ? 'warn' : 'ok', text }
}

/** @param {Registration[]} all @returns {Chip} */
function registrationPart(all) {
  const id = 'registrations'
  const wrong = all.filter(({ state }) => state !== 'in_sync')
  const first = wrong.find(({ state }) => state !== 'pending') ?? wrong[0]
  const good = all.length - wrong.length
  if (first === undefined) {
    return { id, level: 'ok', text: good === 1 ? '1 domain in sync' : `${good} domains in sync` }
  }
  const more = wrong.length > 1 ? `, ${wrong.length - 1} more not in sync` : ''
  const text = `${first.domain} ${REGISTRATION[first.state] ?? first.state}${more}`
  return { id, level: registrationLevel(first.state), text }
}

/** @param {Sink} sink @returns {Level} */
export function sinkLevel({ state, lag, deadLetters }, perMinute) {
  const isBehind = lag > Math.max(LAG_LEAST, perMinute ?? 0)
  if (state === 'refused' || (state !== 'ok' && isBehind)) return 'bad'
  return state !== 'ok' || isBehind || deadLetters > 0 ? 'warn' : 'ok'
}

/** @param {Sink[]} all @returns {Chip} */
function sinkPart(all, perMinute) {
  const id = 'sinks'
  const levels = all.map((sink) => sinkLevel(sink, perMinute))
  const level = levels.find((each) => each === 'bad') ?? levels.find((each) => each === 'warn')
  const first = all[levels.findIndex((each) => each === level)]
  if (level === undefined || first === undefined) {
    return { id, level: 'ok', text: all.length === 1 ? '1 sink up to date' : `${all.length} sinks up to date` }
  }
  const others = levels.filter((each) => each !== 'ok').length - 1
  const more = others > 0 ? `, ${others} more in trouble` : ''
  return { id, level, text: `sink ${first.name} ${sinkInWords(first)}${more}` }
}

/** @param {Sink} sink */
export function sinkInWords({ state, lag, deadLetters }) {
  const behind = lag > 0 ? `${grouped(lag)} behind` : ''
  const dead = deadLetters > 0 ? `${grouped(deadLetters)} dead letters` : ''
  const how = { ok: '', refused: 'refuses', failing: 'fails' }[state] ?? state
  return [how, behind, dead].filter(Boolean).join(', ') || 'up to date'
}

/** @param {Audit[]} all @returns {Chip} */
function auditPart(all) {
  const id = 'audit'
  const missed = all.reduce((sum, each) => sum + each.missed, 0)
  const shots = `${grouped(missed)} ${missed === 1 ? 'shot' : 'shots'} missed`
  const wrong = all.find(({ state }) => AUDIT[state] !== undefined)
  if (wrong !== undefined) {
    const what = `${AUDIT[wrong.state]}: ${wrong.domain}`
    return { id, level: missed > 0 ? 'bad' : 'warn', text: missed > 0 ? `${shots}, ${what}` : what }
  }
  if (missed > 0) return { id, level: 'warn', text: shots }
  if (all.every(({ state }) => state === 'off')) return { id, level: 'unknown', text: 'audit off' }
  return { id, level: 'ok', text: 'no shot missed' }
}

/** @param {Facts} facts @returns {Chip | null} */
function storePart({ storeFailing, storeUsed, storeMax }) {
  const id = 'store'
  if (storeFailing !== null) return { id, level: 'bad', text: `store fails: ${storeFailing}` }
  if (storeUsed === null) return null
  if (!storeMax) return { id, level: 'ok', text: `store ${bytesInWords(storeUsed)}` }
  const share = storeUsed / storeMax
  const level = share >= STORE_BAD ? 'bad' : share >= STORE_WARN ? 'warn' : 'ok'
  return { id, level, text: `store ${share < 0.01 ? 'under 1' : Math.round(share * 100)} % used` }
}
