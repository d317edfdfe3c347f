// The pushed streams. A push keeps the notify key that was in force when it began, as the provider
// documents; at each interval it stores a snapshot and announces it with a callback.

import { callbackBody } from '../callbacks/callback-body.ts'
import type { Callback } from '../callbacks/callback-log.ts'
import type { CallbackTarget, Configurations } from '../configurations.ts'
import type { Switches } from '../switches.ts'
import { type Archive, idOf, type Shot, type StreamName } from './archive.ts'
import { type ObjectTemplate, objectName, templatesOf } from './object-names.ts'
import type { PushHistory } from './push-history.ts'

export type PushOptions = { intervalMs: number; isAutomatic?: boolean }

type Counts = {
  snapshots: number
  callbacks: number
  /** Never sent, as `lose_callbacks` has it. */
  lost: number
  /** Not sent, since too many were under way. */
  skipped: number
  inFlight: number
}

type Push = StreamName & {
  intervalMs: number
  /** Started by the emulator itself: pushed again when its domain is first configured. */
  isAutomatic: boolean
  startedAt: number
  /** Where callbacks went when the push began. */
  initialUrl: string | undefined
  key: string | undefined
  templates: ObjectTemplate[]
  counts: Counts
  timer: NodeJS.Timeout
}

/** A delivery with all its retries takes half a minute: that many shots, and the rest is skipped. */
const MAX_IN_FLIGHT_PER_PUSH = 16

export type Pushes = ReturnType<typeof createPushes>

/** The pushes that are running, none at first. */
export function createPushes(options: {
  now: () => number
  switches: () => Switches
  configurations: Configurations
  archive: Archive
  history: PushHistory
  /** A number from 0 up to 1. */
  random: () => number
  send: (callback: Callback, settled: () => void) => boolean
}) {
  const { now, switches, configurations, archive, history, random, send } = options
  const pushes = new Map<string, Push>()
  let sequence = 0

  function start(name: StreamName, { intervalMs, isAutomatic = false }: PushOptions) {
    const { domain, app, stream } = name
    const previous = pushes.get(idOf(name))
    clearInterval(previous?.timer)
    const target = configurations.targetOf(domain, app)
    const push: Push = {
      domain,
      app,
      stream,
      intervalMs,
      isAutomatic,
      startedAt: now(),
      initialUrl: target?.url,
      key: target?.key,
      templates: templatesOf(configurations.appOf(domain, app)),
      counts: previous?.counts ?? { snapshots: 0, callbacks: 0, lost: 0, skipped: 0, inFlight: 0 },
      timer: setInterval(() => shoot(push), intervalMs),
    }
    pushes.set(idOf(name), push)
    history.begin(push)
    return view(push)
  }

  function shoot(push: Push): Shot[] {
    sequence += 1
    const { domain, app, stream } = push
    const moment = { at: now(), sequence }
    const shots = push.templates.map(({ pattern, ...place }) => {
      const object = objectName(pattern, { app, stream, ...moment })
      return { domain, app, stream, ...moment, ...place, object }
    })
    for (const shot of shots) archive.store(shot)
    push.counts.snapshots += 1
    announce(push, switches().callbacks_per_shot === 'two' ? shots : shots.slice(0, 1))
    return shots
  }

  function announce(push: Push, shots: readonly Shot[]): void {
    const target = configurations.targetOf(push.domain, push.app)
    const url = switches().url_change === 'at_once' ? target?.url : push.initialUrl
    if (url === undefined) return
    const key = keyOf(push, target)
    for (const shot of shots) {
      const { domain, app, stream, object } = shot
      const body = callbackBody(shot, switches().body)
      dispatch(push, { domain, app, stream, object, url, key, body })
    }
  }

  /** A changed key waits for the next push; the switch is about one that is new altogether. */
  function keyOf(push: Push, target: CallbackTarget | undefined): string | undefined {
    if (switches().auth_on === 'at_once') push.key ??= target?.key
    return push.key
  }

  function dispatch({ counts }: Push, callback: Callback): void {
    if (random() < switches().lose_callbacks) {
      counts.lost += 1
      return
    }
    const hasRoom = counts.inFlight < MAX_IN_FLIGHT_PER_PUSH
    const isSent = hasRoom && send(callback, () => (counts.inFlight -= 1))
    if (isSent) {
      counts.callbacks += 1
      counts.inFlight += 1
    } else {
      counts.skipped += 1
    }
  }

  return {
    /** Begins a push, or begins it anew with the key that is in force now. */
    start,
    end(name: StreamName): boolean {
      clearInterval(pushes.get(idOf(name))?.timer)
      history.end(name)
      return pushes.delete(idOf(name))
    },
    /** Takes a snapshot now. */
    shootNow(name: StreamName): Shot[] | undefined {
      const push = pushes.get(idOf(name))
      return push && shoot(push)
    },
    /** Automatic pushes that began with nowhere to call begin anew, now that there is somewhere. */
    pushAgainUnconfigured(domain: string): void {
      for (const push of [...pushes.values()]) {
        const isWaiting = push.isAutomatic && push.initialUrl === undefined
        if (isWaiting && push.domain === domain) start(push, push)
      }
    },
    list: () => [...pushes.values()].map(view),
    stop(): void {
      for (const push of pushes.values()) clearInterval(push.timer)
      pushes.clear()
    },
  }
}

function view({ timer, templates, counts, initialUrl, key, startedAt, ...push }: Push) {
  return {
    ...push,
    startedAt: new Date(startedAt).toISOString(),
    initialUrl: initialUrl ?? null,
    signed: key !== undefined,
    key: key ?? null,
    ...counts,
  }
}
