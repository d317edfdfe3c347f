// Keeps what is known of the domains in step with the store, both ways: rings that others change, and
// what came in here. Also keeps the receiving time.
import type { Moment } from '../../core/keys/key-ring.ts'
import type { Secret } from '../../core/keys/notify-key.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { RingMetrics } from '../../ports/metrics.ts'
import type { ReceivingTime, RingStore, Tallies } from '../../ports/store.ts'
import { createTrouble } from '../fault-log.ts'
import { createArrivals } from './key-use.ts'
import { createRingCache, isOfOneRing } from './ring-cache.ts'

/** A command beside the service changes a ring: the service follows within this time. */
const FOLLOW_INTERVAL_MS = 1_000
/** Uses of keys and receiving time are written back this often: disuse is counted in hours. */
const WRITE_BACK_MS = 60_000

export type RingKeeper = ReturnType<typeof createRingKeeper>

export function createRingKeeper(deps: {
  domains: readonly string[]
  /** As configured, the current one first. */
  publicUrls: readonly string[]
  secrets: readonly Secret[]
  store: RingStore & ReceivingTime & Tallies
  /** Seconds of receiving time after which a superseded key goes, unused. */
  graceSeconds: number
  /**
   * Whether the receiving time is counted here: by one of the replicas that share a store, else it
   * would run too fast. Absent: yes.
   */
  countsTime?(): boolean
  clock: Clock
  metrics: RingMetrics
  log: Log
}) {
  const { store, clock, log, countsTime = () => true } = deps
  let receivedBefore = 0
  let countedFrom = clock.elapsed()
  let wasCounting = countsTime()
  const moment = (): Moment => ({
    now: clock.now(),
    receiving: receivedBefore + (clock.elapsed() - countedFrom) / 1000,
  })
  const { follow, ...rings } = createRingCache({ ...deps, moment })
  const { logUnsigned, ...arrivals } = createArrivals({ ...deps, rings, moment })
  const trouble = createTrouble(log, {
    begun: 'key rings not in step with the store',
    over: 'key rings in step with the store again',
  })

  async function load(): Promise<void> {
    receivedBefore = await store.loadReceivingTime()
    try {
      await follow()
    } catch (error) {
      // That domain can't be served; its state says so, and the others can.
      if (!isOfOneRing(error)) throw error
    }
    await arrivals.load()
  }

  async function writeBack(): Promise<void> {
    const measuredAt = clock.elapsed()
    const seconds = (measuredAt - countedFrom) / 1000
    const isCounting = countsTime()
    // Only what was counted here from end to end: too little keeps keys for longer, which is safe.
    if (wasCounting && isCounting) {
      await store.addReceivingTime(seconds)
      receivedBefore += seconds
    } else receivedBefore = await store.loadReceivingTime()
    wasCounting = isCounting
    countedFrom = measuredAt
    await arrivals.writeBack()
  }

  /** Follows the store and writes back, until `signal` aborts; receiving time counts from here. */
  async function run(signal: AbortSignal): Promise<void> {
    countedFrom = clock.elapsed()
    await Promise.all([runFollower(signal), runWriteBack(signal)])
  }

  async function runFollower(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(FOLLOW_INTERVAL_MS, signal)
      if (signal.aborted) return
      await attempt(follow)
      logUnsigned()
    }
  }

  /** Also once at the end. */
  async function runWriteBack(signal: AbortSignal): Promise<void> {
    for (;;) {
      await clock.sleep(WRITE_BACK_MS, signal)
      const isLast = signal.aborted
      await attempt(writeBack)
      if (isLast) return
    }
  }

  async function attempt(work: () => Promise<void>): Promise<void> {
    try {
      await work()
      trouble.passed(work)
    } catch (error) {
      trouble.met(work, error)
    }
  }

  const { unsigned, lastCallbackAt, noteUse, noteUnsigned } = arrivals
  return { ...rings, unsigned, lastCallbackAt, noteUse, noteUnsigned, load, run }
}
