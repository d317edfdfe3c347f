// What a registration reports on its way: the state that it enters, writes before they are made, the
// key in force. Each is reported once, when it is news.
import { type Ring, sameKey, shownGeneration } from '../keys/key-ring.ts'
import type { Effect, LogEffect, Present } from './events.ts'
import { showNotifyUrl, showUrl } from './notify-url.ts'
import type { RegistrationState, Settled, Write } from './registration.ts'
import type { DomainState, Outcome } from './state.ts'
import { explain, strangeUrl } from './step-texts.ts'

/** Makes one log line about the domain of `state`. */
export function log(
  { settings: { domain } }: DomainState,
  level: LogEffect['level'],
  message: string,
  fields: LogEffect['fields'] = {},
): LogEffect {
  return { kind: 'log', level, message, fields: { domain, ...fields } }
}

/** Enters a state: a metric always, and a log line if that is news. */
export function enter(before: DomainState, to: RegistrationState, detail: string | null): Outcome {
  const state = { ...before, state: to, detail }
  const measured: Effect = { kind: 'state', state: to }
  const isNews = before.state !== to || before.detail !== detail
  return { state, effects: isNews ? [measured, entered(state)] : [measured] }
}

function entered(state: DomainState): Effect {
  const { detail } = state
  switch (state.state) {
    case 'pending':
      // A write and its reason are logged before it is made.
      return log(state, 'debug', 'registration pending', { detail })
    case 'in_sync':
      return detail === null
        ? log(state, 'info', 'registration in sync', { url: showNotifyUrl(state.settings.url) })
        : log(state, 'warn', 'registration has a problem', { detail })
    case 'failed':
      return log(state, 'error', 'registration failed', { detail })
    case 'conflict':
    case 'contested':
    case 'released':
      return log(state, 'warn', `registration ${state.state}`, { detail })
  }
}

/** Announces a write before it is made, with what was found and why. */
export function announce(state: DomainState, step: Write, wasOurs: boolean): Effect {
  switch (step.kind) {
    case 'create':
      return wasOurs
        ? log(state, 'warn', 'registration is gone, creating it again')
        : log(state, 'info', 'nothing registered, creating it', {
            url: showNotifyUrl(state.settings.url),
          })
    case 'rotate':
      return log(state, 'info', 'rotating the notify key', { why: explain(step) })
    case 'repair':
      return log(state, 'warn', 'repairing the registration', {
        reason: step.reason,
        found: showUrl(step.foundUrl),
      })
    case 'replace':
      return log(state, 'warn', 'taking over from another URL', { found: showUrl(step.foundUrl) })
  }
}

/** Notes how a look went: a log line when looks begin to fail, and one when they succeed again. */
export function noteLook(before: DomainState, problem: string | null): Outcome {
  const state = { ...before, lookProblem: problem }
  const wasTroubled = before.lookProblem !== null
  if (problem === null) {
    const effects = wasTroubled ? [log(state, 'info', 'looks succeed again')] : []
    return { state: { ...state, failures: 0 }, effects }
  }
  const reason = { reason: problem }
  const effects = wasTroubled
    ? []
    : [log(state, 'warn', 'a look failed; it is tried again', reason)]
  return { state, effects }
}

/** Measures the key in force, as far as the store knows it. */
export function measureKey({ current, keys }: Ring): Effect[] {
  const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
  if (current === null || seenAt === undefined) return []
  return [{ kind: 'key_in_force', generation: shownGeneration(current), seenAt }]
}

/** Concludes a look that needed no write. */
export function conclude(before: DomainState, step: Settled, { ring }: Present): Outcome {
  const foundUrl = strangeUrl(step, before.settings)
  const state = { ...before, foundUrl, attempt: null, looksAfterWrite: 0 }
  switch (step.kind) {
    case 'released':
    case 'conflict':
      return enter(state, step.kind, explain(step))
    case 'adopt': {
      const effects = [
        { kind: 'changed', change: 'adopt' } as const,
        log(state, 'warn', 'a notify key that was set elsewhere is adopted'),
        ...measureKey(ring),
      ]
      const adopted = { ...state, keySeen: step.shown, rotateFrom: rotateFromAfter(state) }
      return also(effects, enter(adopted, 'in_sync', null))
    }
    case 'in_sync': {
      const isHidden = step.shown === null && step.problem === null
      const effects = [
        ...(isHidden && !state.saidHidden ? [HIDDEN(state)] : []),
        ...noticeKey(state, ring),
        ...measureKey(ring),
      ]
      const saidHidden = state.saidHidden || isHidden
      const rotateFrom = rotateFromAfter(state)
      const settled = { ...state, saidHidden, keySeen: ring.current, rotateFrom }
      return also(effects, enter(settled, 'in_sync', step.problem && explain(step)))
    }
  }
}

/** What is still to be rotated after a key was found in sync: `any` is a wish that came since then. */
export function rotateFromAfter({ rotateFrom }: DomainState): 'any' | null {
  return rotateFrom === 'any' ? 'any' : null
}

const HIDDEN = (state: DomainState) =>
  log(state, 'warn', 'the provider shows no usable notify key; using what this store knows')

/** Reports a key that a command or another replica has put in force. */
function noticeKey(state: DomainState, { current }: Ring): Effect[] {
  const { keySeen } = state
  if (current === null || keySeen === null || sameKey(current, keySeen)) return []
  const generation = shownGeneration(current)
  return [log(state, 'info', 'another notify key is in force', { generation })]
}

/** The same outcome with `effects` before its own. */
export function also(effects: readonly Effect[], { state, effects: own }: Outcome): Outcome {
  return { state, effects: [...effects, ...own] }
}
