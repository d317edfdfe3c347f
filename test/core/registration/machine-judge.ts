// What is promised of registration, judged at each outcome by what was seen, stored and asked for, and
// not by what the machine thinks of it.
import {
  type KeyId,
  keyName,
  keyText,
  type Ring,
  ringGeneration,
} from '../../../src/core/keys/key-ring.ts'
import { isUsableKey, type KeySearch } from '../../../src/core/keys/notify-key.ts'
import {
  type Effect,
  type Event,
  isTask,
  type Present,
  type Task,
} from '../../../src/core/registration/events.ts'
import { nearlySameUrl } from '../../../src/core/registration/notify-url.ts'
import {
  isKeyHidden,
  type Observed,
  sameObservation,
} from '../../../src/core/registration/observation.ts'
import type { DomainState } from '../../../src/core/registration/state.ts'
import { DOMAIN, FOREIGN, URL_ } from './situations.ts'

const HOUR_MS = 3_600_000
const LAG_MS = 300_000
/** So many times in an hour ours may be written over somebody else's: the third is one too many. */
const MAX_OVERWRITES = 2
const GENERATIONS_BACK = 2
const LAST_UNSEEN_GENERATION = 3
const BY_THEMSELVES: ReadonlySet<Event['kind']> = new Set(['asked', 'rotate', 'release_changed'])

/** As cheap as it gets: it is called some ten million times. */
function check(holds: boolean, broken: string): void {
  if (!holds) throw new Error(broken)
}

type WriteTask = Extract<Task, { kind: 'write' }>
export type Turn = {
  readonly before: DomainState
  readonly event: Event
  readonly after: DomainState
  readonly effects: readonly Effect[]
  readonly now: Present
  /** The ring in the store. */
  readonly stored: Ring
}

export function createJudge({ takeover, search }: { takeover: boolean; search: KeySearch }) {
  let isRotationAsked = false
  let looked: Observed | null = null
  let underWay: Task['kind'] | null = null
  let state: string | null = null
  let overwrites: number[] = []
  let allowed = MAX_OVERWRITES
  /** A write that was accepted, and what was there before it, until ours or something else is seen. */
  let unseen: { before: Observed; at: number } | null = null
  let lastWrite: WriteTask | null = null
  /** A write that may have taken effect, and that nothing else was seen since. */
  let awaited: { task: WriteTask; isLost: boolean; at: number } | null = null
  let isShown = false
  let writes = 0

  /** The key that an observation shows, if it can be used. */
  function keyOf(observed: Observed): KeyId | null {
    if (observed.kind === 'absent' || observed.key === null || !isUsableKey(observed.key))
      return null
    const ours = search(observed.key, DOMAIN)
    return ours ? { kind: 'derived', ...ours } : { kind: 'foreign', key: observed.key }
  }

  function isAccepted(id: KeyId, ring: Ring): boolean {
    if (ring.keys.some((key) => keyName(key.id) === keyName(id))) return true
    if (id.kind === 'foreign') return false
    const generation = ringGeneration(ring)
    if (generation < 0) return id.generation <= LAST_UNSEEN_GENERATION
    return id.generation >= generation - GENERATIONS_BACK && id.generation <= generation + 1
  }

  function isOurs(observed: Observed, ring: Ring): boolean {
    if (observed.kind === 'absent') return true
    const urls = [URL_, 'https://former.example.com/callbacks/play.example.com', ...ring.formerUrls]
    return urls.some((url) => nearlySameUrl(url, observed.url))
  }

  function judgeWrite(task: WriteTask, { now, stored, before }: Turn): void {
    writes += 1
    lastWrite = task
    const { registration } = task
    check(task.before === looked, 'written over what nobody has looked at')
    check(now.ring === stored, 'written with a ring that is not in the store')
    check(!now.ring.released, 'written though deregistered')
    check(now.ring.unseenSince !== null, 'a write that deregister can not know of')
    check(registration.url === URL_ && registration.auth === 'yes', 'not what we want')
    check(isUsableKey(registration.key), 'a key that is none')
    check(takeover || isOurs(task.before, now.ring), 'not ours, and overwritten')
    const key = keyOf({ kind: 'present', url: URL_, auth: true, key: registration.key })
    check(isAccepted(key as KeyId, stored), 'pushed before it is accepted')
    const found = keyOf(task.before)
    check(found === null || isAccepted(found, stored), 'a found key is lost')
    if (task.before.kind === 'present' && task.before.url === URL_ && task.before.auth) {
      judgeKeysAlone(task, before)
    }
  }

  /** Ours, with authentication: only what is hidden, due, or of an older secret is written over. */
  function judgeKeysAlone(task: WriteTask, { settings }: DomainState): void {
    const found = keyOf(task.before)
    if (found === null || isRotationAsked || settings.keyMaxAgeMs !== undefined) return
    const { secrets } = settings
    const isOld = found.kind === 'derived' && found.secret !== secrets[0].fingerprint
    check(isOld, 'written for a difference in keys alone')
    const moved = { ...found, secret: secrets[0].fingerprint } as KeyId
    check(task.registration.key === keyText(moved, secrets, DOMAIN), 'another key than the first')
  }

  function judgeLag({ event, effects, now }: Turn): void {
    if (event.kind !== 'looked' || unseen === null) return
    const { observed } = event
    // Where keys are hidden ours looks as it did before.
    const isOurs = observed.kind === 'present' && observed.url === URL_ && observed.auth
    if (!sameObservation(observed, unseen.before) || (isOurs && isKeyHidden(observed))) {
      unseen = null
      return
    }
    if (now.elapsed - unseen.at >= LAG_MS) return
    const hasTask = (kind: Task['kind']) => effects.some((effect) => effect.kind === kind)
    check(!hasTask('save_ring'), 'what was there before a write is taken for news')
    check(!hasTask('write'), 'written twice within five minutes')
  }

  function judgeReports({ before, after, effects }: Turn): void {
    for (const effect of effects) {
      if (effect.kind === 'state') state = effect.state
      if (effect.kind !== 'log') continue
      const line = JSON.stringify([effect.message, effect.fields])
      check(!line.includes(FOREIGN), 'a foreign key in the log')
      check(!line.includes(lastWrite?.registration.key ?? 'none yet'), 'a key in the log')
    }
    check(after.state === before.state || after.state === state, 'not as measured')
  }

  /** What shows is reported once it is saved, and counted unless it was counted at once. */
  function judgeShown({ event, effects, now }: Turn): void {
    if (event.kind === 'started') isShown = false
    if (event.kind === 'looked' && awaited !== null) {
      isShown = showsExactly(event.observed, awaited.task)
      const isBefore = sameObservation(event.observed, awaited.task.before)
      // What is still there after five minutes is somebody else's, as far as anybody can tell.
      const isLate = !awaited.isLost && now.elapsed - awaited.at >= LAG_MS
      if (!isShown && (!isBefore || isLate)) awaited = null
    }
    if (!effects.some(({ kind }) => kind === 'look_ends')) return
    const isReported = effects.some((each) => each.kind === 'log' && each.message === 'registered')
    if (isShown && awaited !== null && event.kind !== 'failed' && !now.ring.released) {
      const isCounted = effects.some(({ kind }) => kind === 'changed')
      check(isReported, 'a write that shows is not reported')
      check(isCounted === awaited.isLost, 'a write that shows is counted twice, or not at all')
    }
    // Also one whose key is hidden.
    if (isReported) awaited = null
    isShown = false
  }

  function judgeAnswer({ event, before, now }: Turn): void {
    if (before.phase.kind !== 'writing' || lastWrite === null) return
    if (event.kind === 'written') {
      unseen = { before: lastWrite.before, at: now.elapsed }
      awaited = { task: lastWrite, isLost: false, at: now.elapsed }
    }
    if (event.kind === 'started') awaited = { task: lastWrite, isLost: true, at: now.elapsed }
    if (event.kind !== 'failed') return
    const isLost = event.fault.mayHaveTakenEffect
    awaited = isLost ? { task: lastWrite, isLost, at: now.elapsed } : null
  }

  function judgeContest(effects: readonly Effect[], { now, before }: Turn): void {
    for (const effect of effects) {
      if (effect.kind !== 'changed' || effect.change === 'adopt' || effect.change === 'rotate')
        continue
      if (before.phase.kind !== 'writing' || now.ring.confirmedUrl !== URL_) continue
      overwrites = [...overwrites.filter((at) => now.now - at < HOUR_MS), now.now]
      check(overwrites.length <= allowed, 'goes on though contested')
    }
  }

  return {
    outcome(turn: Turn): void {
      const { event, effects, after } = turn
      const tasks = effects.filter(isTask)
      const isAnswer = !BY_THEMSELVES.has(event.kind)
      check(tasks.length === (isAnswer ? 1 : 0), 'tasks at once')
      if (isAnswer) underWay = tasks[0]?.kind ?? null
      if (event.kind === 'looked') looked = event.observed
      judgeAnswer(turn)
      judgeShown(turn)
      judgeLag(turn)
      judgeReports(turn)
      judgeContest(effects, turn)
      for (const task of tasks) {
        if (task.kind === 'write') judgeWrite(task, turn)
        if (task.kind === 'wake_in') {
          check(task.ms >= 0 && task.ms <= HOUR_MS, 'a pause without bounds')
        }
      }
      check((after.phase.kind === 'resting') === (underWay === 'wake_in'), 'rests, or does not')
    },
    rotationAsked(): void {
      isRotationAsked = true
    },
    /** Deregistered, or registered again: what was written before that says nothing any more. */
    released(): void {
      overwrites = []
      unseen = null
      awaited = null
    },
    /** What a write of the life before may hide still is written over once without being counted. */
    restarted({ unseenSince }: Ring): void {
      allowed = MAX_OVERWRITES + (unseenSince === null ? 0 : 1)
      underWay = null
      unseen = null
      awaited = null
      isShown = false
      isRotationAsked = false
      overwrites = []
    },
    writes: () => writes,
  }
}

function showsExactly(observed: Observed, { registration }: WriteTask): boolean {
  if (observed.kind === 'absent' || !observed.auth) return false
  return observed.url === registration.url && observed.key === registration.key
}
