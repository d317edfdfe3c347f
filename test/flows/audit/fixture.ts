// An auditor on a store in memory, beside a provider that takes shots and loses callbacks.

import type { AuditState } from '../../../src/core/audit/state.ts'
import { understand } from '../../../src/core/events/callback.ts'
import { eventOf, understandEvent } from '../../../src/core/events/snapshot-event.ts'
import { createAuditor } from '../../../src/flows/audit/auditor.ts'
import { fakeLists, type ProvidersShot } from '../../support/flows/fake-lists.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'

export const DOMAIN = 'play.example.com'
export const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR
export const INTERVAL_MS = 15 * MINUTE
export const SHOT_EVERY_MS = 5_000

export type Body = 'full' | 'without_time' | 'unclear'

export function provider(clock = manualClock(undefined, 1)) {
  const lists = fakeLists(clock.now)
  let number = 0
  return {
    clock,
    lists,
    push: (stream: string, from = clock.now()) =>
      lists.push({ app: 'live', stream, from, until: null }),
    /** One shot of a stream, now. */
    shoot(stream: string, mode: 'sequence' | 'overwrite' | 'both' = 'sequence'): ProvidersShot {
      number += 1
      const object = `live/${stream}/${number}.jpg`
      const shot = { app: 'live', stream, at: clock.now(), object }
      lists.take(shot, mode)
      return shot
    },
  }
}

/** A service with a store of its own. */
export function replica(
  { clock, lists }: ReturnType<typeof provider>,
  {
    store = memoryStore(),
    isOff = false,
    domains = [DOMAIN] as readonly string[],
    isReleased = (_domain: string): boolean => false,
    marginMs = undefined as number | undefined,
  } = {},
) {
  const log = keptLog()
  const states: AuditState[] = []
  const totals = { missed: 0, filled: 0 }
  const stopping = new AbortController()
  const auditor = createAuditor({
    domains,
    store,
    lists: lists.lists,
    isReleased,
    marginMs,
    intervalMs: isOff ? undefined : INTERVAL_MS,
    clock,
    random: () => 0.5,
    metrics: {
      auditState: (_domain, state) => states.push(state),
      auditedUntil() {},
      missed: (_domain, shots) => {
        totals.missed += shots
      },
      filled: (_domain, shots) => {
        totals.filled += shots
      },
    },
    log,
  })
  const running = auditor.run(stopping.signal)
  return {
    store,
    log,
    states,
    totals,
    auditor,
    view: () => auditor.views()[0],
    /** A callback of a shot arrives. */
    async arrive({ app, stream, at, object }: ProvidersShot, body: Body = 'full', lateMs = 200) {
      const said =
        body === 'unclear'
          ? { v: 1, ref: object }
          : {
              AppName: app,
              StreamName: stream,
              OssObject: object,
              ...(body === 'full' && { CreateTimestamp: at }),
            }
      const bytes = Buffer.from(JSON.stringify(said))
      const receivedAt = at + lateMs
      const timestamp = String(Math.floor((at + lateMs) / 1_000))
      const callback = { domain: DOMAIN, timestamp, body: bytes, receivedAt }
      await store.append(eventOf(callback, understand(bytes, DOMAIN, receivedAt)))
    },
    /** All events of the log: which object, and how it came. */
    async events() {
      const all = await store.read(0, 1e9)
      return all.map((event) => ({ ...understandEvent(event), origin: event.origin }))
    },
    async found() {
      const all = await this.events()
      return all.filter(({ origin }) => origin === 'audit').map(({ object }) => object)
    },
    async stop() {
      stopping.abort()
      await running
    },
  }
}

/** Every stream takes a shot each five seconds, for a while; `call` says who gets each callback. */
export async function stream(
  world: ReturnType<typeof provider>,
  streams: readonly string[],
  forMs: number,
  call: (shot: ProvidersShot, n: number) => Promise<void> | void,
): Promise<ProvidersShot[]> {
  const shots: ProvidersShot[] = []
  for (let passed = 0; passed < forMs; passed += SHOT_EVERY_MS) {
    await world.clock.advance(SHOT_EVERY_MS)
    for (const name of streams) {
      const shot = world.shoot(name)
      shots.push(shot)
      await call(shot, shots.length - 1)
    }
  }
  return shots
}

/** A provider, and one service that audits it. */
export function setUp(options: Parameters<typeof replica>[1] = {}) {
  const world = provider()
  return { world, one: replica(world, options) }
}
