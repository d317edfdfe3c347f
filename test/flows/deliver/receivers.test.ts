// The rules of delivery against receivers of every kind, and mixtures of them, in their own time.
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FULL_SIZE } from '../../../src/core/delivery/batch-size.ts'
import type { DeliveryOutcome, RejectedEvent } from '../../../src/core/delivery/outcome.ts'
import type { StoredEvent } from '../../../src/core/events/snapshot-event.ts'
import { deliverBatches } from '../../../src/flows/deliver/deliver-batches.ts'
import { eventOf, range } from '../../support/store/store-events.ts'

/** As of a webhook. */
const TIMEOUT_MS = 15_000
const SECOND_MS = 1_000
const HOUR_MS = 3_600_000
const GOLDEN = 0.618_033_988_75

/** An event that a receiver never takes, and how it shows. */
type Poison = 'rejected' | 'breaks' | 'resets' | 'hangs'

type Receiver = {
  /** More events at once, and the connection is reset. */
  readonly most: number
  /** What it needs for each event that it is given. */
  readonly perEventMs: number
  /** It answers in the middle of a batch, as NATS does, and not for the batch as a whole. */
  readonly confirmsSome: boolean
  /** It does not answer every nth request at all; 0: it answers all of them. */
  readonly flakyEvery: number
  /** Seconds from the beginning on in which every request fails. */
  readonly deadSeconds: number
  readonly dies: 'refuses' | 'breaks' | 'resets' | 'asks_for_time' | 'no_connection'
  /** By seq. */
  readonly poison: ReadonlyMap<number, Poison>
}

const DELIVERED: DeliveryOutcome = { kind: 'delivered' }
const RESET: DeliveryOutcome = { kind: 'failed', reason: 'connection reset', strike: true }
const HUNG: DeliveryOutcome = { kind: 'failed', reason: 'no answer within 15 s', strike: true }
const OF_POISON: Record<Poison, DeliveryOutcome> = {
  rejected: { kind: 'rejected', reason: 'answered 422' },
  breaks: { kind: 'failed', reason: 'answered 500', strike: true },
  resets: RESET,
  hangs: HUNG,
}
const OF_DEATH: Record<Receiver['dies'], DeliveryOutcome> = {
  refuses: { kind: 'refused', reason: 'answered 401' },
  breaks: { kind: 'failed', reason: 'answered 503', strike: true },
  resets: RESET,
  asks_for_time: { kind: 'failed', reason: 'answered 503', strike: true, retryAfterMs: 20_000 },
  no_connection: { kind: 'failed', reason: 'no connection (ECONNREFUSED)' },
}

/** Delivers `count` events to a receiver until all is settled, or `limitMs` have passed. */
async function deliver(count: number, receiver: Receiver, limitMs: number) {
  let lot = 0
  const log: StoredEvent[] = range(count).map((n) => ({ ...eventOf(n), seq: n + 1 }))
  const had: number[] = []
  const letters: RejectedEvent[] = []
  let now = 0
  let cursor = 0
  let requests = 0
  let sent = 0

  async function attempt(events: readonly StoredEvent[]): Promise<DeliveryOutcome> {
    requests += 1
    sent += events.length
    if (now < receiver.deadSeconds * SECOND_MS) return OF_DEATH[receiver.dies]
    if (receiver.flakyEvery > 0 && requests % receiver.flakyEvery === 0) return RESET
    if (events.length > receiver.most) return RESET
    const bad = events.findIndex(({ seq }) => receiver.poison.has(seq))
    const poison = receiver.poison.get(events[bad]?.seq ?? 0)
    // It does the work, whether anybody waits for it or not.
    const done = receiver.confirmsSome && bad >= 0 ? bad : events.length
    const inTime = Math.min(done, Math.floor(TIMEOUT_MS / Math.max(1, receiver.perEventMs)))
    now += Math.min(TIMEOUT_MS, done * receiver.perEventMs)
    const isLate = inTime < done
    if (receiver.confirmsSome) {
      had.push(...events.slice(0, inTime).map(({ seq }) => seq))
      if (inTime === events.length) return DELIVERED
      const outcome = isLate || poison === undefined ? HUNG : OF_POISON[poison]
      return { ...outcome, confirmed: inTime } as DeliveryOutcome
    }
    if (poison === 'hangs' || isLate) now += TIMEOUT_MS
    if (poison !== undefined) return OF_POISON[poison]
    if (isLate) return HUNG
    had.push(...events.map(({ seq }) => seq))
    return DELIVERED
  }

  const given = new AbortController()
  await deliverBatches(
    {
      attempt,
      clock: {
        now: () => now,
        elapsed: () => now,
        async sleep(ms) {
          now += ms
          if (now > limitMs) given.abort()
        },
      },
      // Spread evenly, and the same in each run.
      random: () => {
        lot = (lot + GOLDEN) % 1
        return lot
      },
      draining: given.signal,
      ended: given.signal,
    },
    {
      firstSize: FULL_SIZE,
      givenUp: 0,
      next: async () => log.filter(({ seq }) => seq > cursor).slice(0, 100),
      following: async (after) => log.find(({ seq }) => seq > after),
      async moveOn(last, _delivered, rejected) {
        expect(last.seq).toBeGreaterThan(cursor)
        cursor = last.seq
        letters.push(...rejected)
      },
      report: () => undefined,
      resized: () => undefined,
      isWanted: async () => true,
      expiredUpTo: () => 0,
    },
  )
  return { had, letters, cursor, now, requests, sent }
}

const POISONS: readonly Poison[] = ['rejected', 'breaks', 'resets', 'hangs']
const NO_TROUBLE: Receiver = {
  ...{ most: 100, perEventMs: 1, confirmsSome: false, flakyEvery: 0, deadSeconds: 0 },
  ...{ dies: 'breaks', poison: new Map() },
}
const COUNT = 230

const receivers = fc.record<Receiver>({
  most: fc.oneof(fc.constant(100), fc.integer({ min: 1, max: 99 })),
  perEventMs: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 14_000 })),
  confirmsSome: fc.boolean(),
  flakyEvery: fc.constantFrom(0, 0, 2, 3, 5),
  deadSeconds: fc.constantFrom(0, 0, 2, 40, 3_600),
  dies: fc.constantFrom('refuses', 'breaks', 'resets', 'asks_for_time', 'no_connection'),
  poison: fc
    .array(fc.tuple(fc.integer({ min: 1, max: COUNT - 1 }), fc.constantFrom(...POISONS)), {
      maxLength: 8,
    })
    .map((pairs) => new Map(pairs)),
})

test('whatever the receiver: each event arrives or is a dead letter for a reason of its own, in order', async () => {
  await fc.assert(
    fc.asyncProperty(receivers, async (receiver) => {
      const { had, letters, cursor } = await deliver(COUNT, receiver, 48 * HOUR_MS)
      // All is settled: the loop gets on as far as the receiver lets it.
      expect(cursor).toBe(COUNT)
      const poisoned = [...receiver.poison.keys()].toSorted((a, b) => a - b)
      expect(letters.map(({ event }) => event.seq)).toEqual(poisoned)
      for (const { event, reason } of letters) {
        const poison = receiver.poison.get(event.seq) as Poison
        // A receiver that is flaky on top may have met it with a reset the last time.
        const own = [OF_POISON[poison], ...(receiver.flakyEvery > 0 ? [RESET] : [])]
        expect(own.some((each) => 'reason' in each && reason.startsWith(each.reason))).toBe(true)
      }
      const wanted = range(COUNT).map((n) => n + 1)
      const last = wanted.filter((seq) => !receiver.poison.has(seq)).map((n) => had.lastIndexOf(n))
      // Whoever goes by what came last of each event has them in the order of the log.
      expect(last).not.toContain(-1)
      expect(last).toEqual(last.toSorted((a, b) => a - b))
    }),
    { numRuns: 400 },
  )
}, 120_000)

test.each([
  ['takes 7 events at once', { most: 7 }, 5, 1.3],
  ['takes one event at once', { most: 1 }, 5, 1.5],
  ['needs 2 s for each event', { perEventMs: 2_000 }, 2 * 2_000, 1.3],
  ['needs 14 s for each event', { perEventMs: 14_000 }, 14_000 * 1.3, 1.3],
  [
    'confirms what it has done, 1 s for each event',
    { perEventMs: 1_000, confirmsSome: true },
    1_500,
    1.3,
  ],
] as const)(
  'a receiver that %s is kept busy, and repeats are few',
  async (_what, over, msEach, share) => {
    const count = 2_000
    const { cursor, now, sent } = await deliver(count, { ...NO_TROUBLE, ...over }, 1_000 * HOUR_MS)
    expect(cursor).toBe(count)
    expect(now / count).toBeLessThan(msEach * 1.3 + 100)
    expect(sent / count).toBeLessThan(share)
  },
)

test('one event that is never answered holds the others up for less than twenty minutes', async () => {
  const poison = new Map([[40, 'hangs' as const]])
  const { letters, now, had } = await deliver(COUNT, { ...NO_TROUBLE, poison }, 48 * HOUR_MS)
  expect(letters).toMatchObject([
    { event: { seq: 40 }, reason: expect.stringMatching(/^no answer within 15 s, 13 times/) },
  ])
  expect(new Set(had).size).toBe(COUNT - 1)
  expect(now).toBeLessThan(20 * 60_000)
})
