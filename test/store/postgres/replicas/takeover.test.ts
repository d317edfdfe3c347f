// What happens when a sink passes from one replica to another that was not asked: nothing goes back, and
// what the old owner writes late is refused. The numbers are those of the list in docs/scaling.md.
import { describe, expect, it, onTestFinished } from 'vitest'
import { systemClock } from '../../../../src/app/system-clock.ts'
import type { StoredEvent } from '../../../../src/core/events/snapshot-event.ts'
import type { PostgresLocation } from '../../../../src/core/store-place.ts'
import { createDispatcher } from '../../../../src/flows/deliver/dispatcher.ts'
import type { Lease } from '../../../../src/ports/leases.ts'
import type { Sink } from '../../../../src/ports/sink.ts'
import { LEASE_TIMES } from '../../../../src/store/postgres/replicas/leases.ts'
import { keptLog } from '../../../support/flows/flow-fakes.ts'
import { startTcpProxy } from '../../../support/network/tcp-proxy.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { joinShared, openShared, readAll } from '../../../support/postgres/postgres-store.ts'
import { eventOf, range } from '../../../support/store/store-events.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()

/** Leases that run out soon; what a busy machine makes of that is one more takeover. */
const SHORT = { ...LEASE_TIMES, pulseMs: 50, ttlMs: 1_000, trustMs: 800, patienceMs: 0 }
const ALL = { since: null, until: null, domain: null, stream: null }

/** Two replicas, the first of which can be paused: what it sends is held back until it wakes. */
async function twoReplicas() {
  const location = server().newLocation()
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server().port })
  onTestFinished(() => proxy.close())
  const first = await joinShared({ ...location, port: proxy.port }, 'first', { times: SHORT })
  const second = await joinShared(location, 'second', { times: SHORT })
  return {
    first,
    second,
    pause: () => proxy.hold((piece) => [Buffer.alloc(0), piece]),
    wake() {
      proxy.hold(null)
      proxy.release()
    },
  }
}

type Replica = Awaited<ReturnType<typeof joinShared>>

async function fill(store: Replica['store'], to: number) {
  await Promise.all(range(to).map((n) => store.append(eventOf(n))))
  return store.read(0, 3)
}

/** Delivers to the sink `a` as long as this replica owns it. */
function dispatcherOf({ store, leases }: Replica, deliver: Sink['deliver']) {
  const dispatcher = createDispatcher({
    sinks: [
      {
        name: 'a',
        check: async () => ({ reachable: true, detail: '' }),
        close: async () => undefined,
        deliver,
      },
    ],
    ...{ events: store, cursors: store, deadLetters: store, replays: store },
    leases,
    clock: systemClock,
    random: () => 0.5,
    metrics: { attempted: () => undefined, sinkState: () => undefined },
    log: keptLog(),
  })
  onTestFinished(() => dispatcher.stop(AbortSignal.timeout(0)))
  return dispatcher
}

const rejectedOf = (events: readonly StoredEvent[]) =>
  events.map((event) => ({ event, reason: 'answered 400', attempts: 1 }))

describe('a takeover', () => {
  it('1, 26: what the old owner writes late is refused, whatever it is', async () => {
    const { first, second, pause, wake } = await twoReplicas()
    const events = await fill(second.store, 10)
    await second.store.advanceCursor('a', 5, rejectedOf(events))
    const replay = await second.store.requestReplay({ ...ALL, sink: 'a' })
    const never = new AbortController().signal
    const old = (await first.leases.hold('sink:a', never)) as Lease
    await first.store.advanceReplay(
      { id: replay, seq: 1, delivered: 1, rejected: 0, isEnd: false },
      old.token,
    )

    pause()
    const [fourth] = await second.store.read(3, 1)
    const late = [
      first.store.advanceCursor('a', 7, rejectedOf([fourth as StoredEvent]), old.token),
      first.store.advanceReplay(
        { id: replay, seq: 2, delivered: 1, rejected: 0, isEnd: false },
        old.token,
      ),
      first.store.changeDeadLetters({ kind: 'drop', sink: 'a', seqs: [1] }, old.token),
      first.store.changeDeadLetters(
        { kind: 'failed_again', sink: 'a', seq: 2, reason: 'late', attempts: 5 },
        old.token,
      ),
    ]
    const refused = Promise.all(
      late.map((each) => each.then(String, ({ code }: { code: string }) => code)),
    )
    const lease = (await second.leases.hold('sink:a', never)) as Lease
    expect(old.isHeld()).toBe(false)
    expect(old.lost.aborted).toBe(true)
    await second.store.advanceCursor('a', 6, [], lease.token)
    const end = { id: replay, seq: 5, delivered: 4, rejected: 0, isEnd: true }
    await second.store.advanceReplay(end, lease.token)
    const retry = { kind: 'request_retry', sink: 'a', seqs: [2] } as const
    await second.store.changeDeadLetters(retry)

    wake()
    expect(await refused).toEqual(late.map(() => 'lease_lost'))
    expect(await second.store.loadCursor('a')).toBe(6)
    expect(await second.store.listReplays()).toMatchObject([{ lookedUpTo: 5, delivered: 5 }])
    const letters = await second.store.readDeadLetters({ sink: 'a', limit: 9 })
    expect(letters.map((each) => [each.event.seq, each.attempts, each.retryRequested])).toEqual([
      [1, 1, false],
      [2, 1, true],
      [3, 1, false],
    ])
    // The new one's are not.
    const again = { kind: 'failed_again', sink: 'a', seq: 2, reason: '415', attempts: 1 } as const
    expect(await second.store.changeDeadLetters(again, lease.token)).toBe(1)
    const drop = { kind: 'drop', sink: 'a', seqs: [1, 9] } as const
    expect(await second.store.changeDeadLetters(drop, lease.token)).toBe(1)
  })

  it('26: a replay and retries of dead letters go on at the next owner, and nothing goes back', async () => {
    const { first, second, pause, wake } = await twoReplicas()
    const EVENTS = 1_000
    const { store } = second
    await store.advanceCursor('a', EVENTS, rejectedOf(await fill(store, EVENTS)))
    const had: { by: number; seqs: number[]; isReplay: boolean }[] = []
    const dispatchers = ([first, second] as const).map((replica, n) =>
      dispatcherOf(replica, async (events) => {
        const seqs = events.map(({ seq }) => seq)
        had.push({ by: n, seqs, isReplay: events[0]?.replay !== undefined })
        // In the middle of it: there are ten batches.
        if (had.length === 3) pause()
        return { kind: 'delivered' }
      }),
    )
    void dispatchers[0]?.run()
    await until('the first one owns it', () => first.leases.isOwner('sink:a'))
    void dispatchers[1]?.run()
    await store.requestReplay({ ...ALL, sink: 'a' })
    await store.changeDeadLetters({ kind: 'request_retry', sink: 'a', seqs: null })
    await until('it is in the middle', () => had.length >= 3)
    const seen: { lookedUpTo: number; letters: number }[] = []
    await until('the other one has done all', async () => {
      const [replay] = await store.listReplays()
      const letters = (await store.countDeadLetters()).get('a') ?? 0
      seen.push({ lookedUpTo: replay?.lookedUpTo ?? 0, letters })
      return replay?.endedAt !== null && letters === 0
    })
    await until('the first one knows', () => !first.leases.isOwner('sink:a'))
    // On a busy machine it may own the sink again when it has woken.
    const heard = first.leases.peers()
    wake()
    await until('what it held back is answered', () => first.leases.peers() !== heard)
    const [replay] = await store.listReplays()
    const numbers = seen.map(({ lookedUpTo }) => lookedUpTo)
    expect(numbers).toEqual(numbers.toSorted((a, b) => a - b))
    const left = seen.map(({ letters }) => letters)
    expect(left).toEqual(left.toSorted((a, b) => b - a))
    expect(replay).toMatchObject({ lookedUpTo: EVENTS, delivered: EVENTS })
    expect((await store.countDeadLetters()).get('a')).toBe(0)
    expect(had.some(({ by }) => by === 1)).toBe(true)
    const replayed = had.filter(({ isReplay }) => isReplay).flatMap(({ seqs }) => seqs)
    expect(new Set(replayed).size).toBe(EVENTS)
    // One batch may have been under way, and the one before not kept.
    expect(replayed.length).toBeLessThanOrEqual(EVENTS + 200)
  })

  it('2: an answer that was held back until after it moves nothing; its batch is all that is repeated', async () => {
    const { first, second, pause, wake } = await twoReplicas()
    await fill(second.store, 20)
    const answer = Promise.withResolvers<void>()
    const [hadByFirst, hadBySecond]: [number[], number[]] = [[], []]
    const cut = dispatcherOf(first, async (events) => {
      hadByFirst.push(...events.map(({ seq }) => seq))
      await answer.promise
      return { kind: 'delivered' }
    })
    void cut.run()
    await until('the first one delivers', () => hadByFirst.length > 0)
    const batch = hadByFirst.length
    pause()
    const other = dispatcherOf(second, async (events) => {
      hadBySecond.push(...events.map(({ seq }) => seq))
      return { kind: 'delivered' }
    })
    void other.run()
    await until('the other one has all', async () => (await second.store.loadCursor('a')) === 20)
    // Both at the same moment.
    wake()
    answer.resolve()
    await second.store.append(eventOf(20))
    await second.store.append(eventOf(21))
    other.notify()
    await until('it goes on', async () => (await second.store.loadCursor('a')) === 22)
    await until('the first one knows', () => cut.progress()[0]?.isOwned === false)
    expect(hadByFirst).toEqual(range(batch).map((n) => n + 1))
    expect(hadBySecond).toEqual(range(22).map((n) => n + 1))
  })
})

/** A replica that sends one event, and dies. */
const DEATHS = ['before the call', 'in flight', 'after the commit', 'after the answer'] as const

async function dying(location: PostgresLocation, death: (typeof DEATHS)[number], n: number) {
  const proxy = await startTcpProxy({ host: '127.0.0.1', port: server().port })
  onTestFinished(() => proxy.close())
  const store = await openShared({ ...location, port: proxy.port })
  const witness = await openShared(location)
  let isHeld = false
  proxy.hold((piece) => {
    if (!piece.includes('append_1') || death === 'after the answer') return [piece, Buffer.alloc(0)]
    isHeld = true
    const sent = { 'before the call': 0, 'in flight': piece.length / 2 }[death as 'in flight']
    if (sent === undefined) setImmediate(() => proxy.swallow(true))
    const upTo = Math.floor(sent ?? piece.length)
    return [piece.subarray(0, upTo), piece.subarray(upTo)]
  })
  const answered = store.append(eventOf(n)).then(
    () => true,
    () => false,
  )
  if (death === 'after the answer') expect(await answered).toBe(true)
  else await until('it is on its way', () => isHeld)
  if (death === 'after the commit') {
    await until('it is kept', async () =>
      (await readAll(witness)).some(({ id }) => id === eventOf(n).id),
    )
  }
  proxy.swallow(false)
  proxy.refuse(true)
  proxy.cut()
  // The provider repeats what was not answered, and sometimes what was.
  return witness.append(eventOf(n))
}

it('6: a replica that dies before, in or after a call: its callback is in the log once', async () => {
  const location = server().newLocation()
  await openShared(location)
  const repeated = await Promise.all(DEATHS.map((death, n) => dying(location, death, n)))
  expect(repeated.map(({ duplicate }) => duplicate)).toEqual([false, false, true, true])
  const store = await openShared(location)
  const kept = await readAll(store)
  expect(kept.map(({ seq }) => seq)).toEqual([1, 2, 3, 4])
  expect(new Set(kept.map(({ id }) => id)).size).toBe(4)
})
