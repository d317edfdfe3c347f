// Owners of a sink on a network that drops or delays: at most one of them delivers at a time, in
// order, and no cursor moves back. The numbers are those of the list in docs/scaling.md.
import { setTimeout as pause } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../src/app/system-clock.ts'
import { createDispatcher } from '../../../../src/flows/deliver/dispatcher.ts'
import type { Sink } from '../../../../src/ports/sink.ts'
import { LEASE_TIMES, type LeaseTimes } from '../../../../src/store/postgres/replicas/leases.ts'
import { keptLog } from '../../../support/flows/flow-fakes.ts'
import { canDropPackets, dropPackets, ownAddress } from '../../../support/network/network.ts'
import { startTcpProxy, type TcpProxy } from '../../../support/network/tcp-proxy.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { letIn } from '../../../support/postgres/postgres-settings.ts'
import { openShared } from '../../../support/postgres/postgres-store.ts'
import { QUICK_LEASE_TIMES } from '../../../support/postgres/quick-leases.ts'
import { eventOf, range } from '../../../support/store/store-events.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()

/** `by` is a replica and its nth tenure. */
type Delivery = { readonly by: string; readonly seq: number; readonly at: number }
type End = (end: () => void | Promise<void>) => void

/** A sink that takes its time for each event, and stops in the middle when it is told to. */
function slowSink(by: () => string, deliveries: Delivery[], eventMs: number): Sink {
  return {
    name: 'slow',
    async deliver(events, signal) {
      for (const { seq } of events) {
        if (signal.aborted) return { kind: 'failed', reason: 'cut short', strike: false }
        deliveries.push({ by: by(), seq, at: performance.now() })
        await pause(eventMs)
      }
      return { kind: 'delivered' }
    },
    check: async () => ({ reachable: true, detail: '' }),
    close: async () => undefined,
  }
}

/** Replicas that deliver to one sink, each connected to the server through a port. */
function replicasOn(end: End, times: LeaseTimes) {
  const location = server().newLocation()
  const deliveries: Delivery[] = []
  return {
    location,
    deliveries,
    async add(name: string, { port = server().port, eventMs }: { port?: number; eventMs: number }) {
      const store = await openShared({ ...location, port }, {}, end)
      let tenures = 0
      const leases = store.join({
        news: { onTaken: (task) => void (task === 'sink:slow' && tenures++) },
        name,
        version: '0',
        times,
        view: () => ({ sinks: ['slow'], owned: [] }),
        onGrowth: () => dispatcher.notify(),
      })
      const dispatcher = createDispatcher({
        sinks: [slowSink(() => `${name} ${tenures}`, deliveries, eventMs)],
        events: store,
        cursors: store,
        deadLetters: store,
        replays: store,
        leases,
        clock: systemClock,
        random: () => 0,
        metrics: { attempted() {}, sinkState() {} },
        log: keptLog(),
      })
      end(() => dispatcher.stop(AbortSignal.abort()))
      void dispatcher.run()
      return { name, store, leases }
    },
    of: (name: string) => deliveries.filter(({ by }) => by.startsWith(name)),
    /** The first delivery of each event: it must be in order, whoever it was by. */
    firsts: () => [...new Set(deliveries.map(({ seq }) => seq))],
  }
}

/** Deliveries of one tenure that are not interrupted by another one's. */
function runsOf(deliveries: readonly Delivery[]): Delivery[][] {
  const runs: Delivery[][] = []
  for (const each of deliveries) {
    const last = runs.at(-1)
    if (last?.[0]?.by === each.by) last.push(each)
    else runs.push([each])
  }
  return runs
}

describe.concurrent('owners', () => {
  it.runIf(canDropPackets())(
    '10: one whose packets are dropped stops before another starts, and the server lets go of it',
    async ({ onTestFinished: end }) => {
      const localAddress = ownAddress(1)
      end(await letIn(server(), [`host all all ${localAddress}/32 trust`]))
      const wire = await startTcpProxy({ host: '127.0.0.1', port: server().port, localAddress })
      end(() => wire.close())
      const it = replicasOn(end, LEASE_TIMES)
      const cut = await it.add('cut', { port: wire.port, eventMs: 40 })
      await until('it owns the sink', () => cut.leases.isOwner('sink:slow'))
      const other = await it.add('other', { eventMs: 1 })
      // Read ahead: it could deliver for long without the server.
      const count = 260
      await Promise.all(range(count).map((n) => other.store.append(eventOf(n))))
      await until('it delivers', () => it.of('cut').length > 20)
      const heal = dropPackets(localAddress)
      end(heal)
      const cutAt = performance.now()
      const sessions = `select from pg_stat_activity where client_addr = '${localAddress}'`
      expect((await server().query(sessions)).length).toBeGreaterThan(2)
      await until('the other one delivers', () => it.of('other').length > 0)
      const [first] = it.of('other')
      const last = it.of('cut').at(-1)
      expect(first?.at).toBeLessThan(cutAt + 10_000)
      expect(last?.at).toBeLessThan(first?.at as number)
      await until('the server has let go', async () => {
        return (await server().query(sessions)).length === 0
      })
      expect(performance.now()).toBeLessThan(cutAt + 15_000)
      heal()
      await until('all are delivered', () => it.firsts().length === count)
      await until('it is back', () => cut.leases.peers().some(({ seenMs }) => seenMs < 1_000))
      expect(it.firsts()).toEqual(range(count).map((n) => n + 1))
      expect(runsOf(it.deliveries).map(([each]) => each?.by)).toEqual(['cut 1', 'other 1'])
      // The batch that was under way, and the one before it at most.
      expect(it.deliveries.length - count).toBeLessThanOrEqual(200)
    },
  )

  it('16: pulses that take up to 8 s (here a fifth): one delivers at a time, in order', async ({
    onTestFinished: end,
  }) => {
    const times = QUICK_LEASE_TIMES
    const it = replicasOn(end, { ...times, patienceMs: 300 })
    const wires: TcpProxy[] = []
    for (const n of range(3)) {
      const wire = await startTcpProxy({ host: '127.0.0.1', port: server().port })
      end(() => wire.close())
      await it.add(`replica ${n}`, { port: wire.port, eventMs: 4 })
      wires.push(wire)
      wire.delay((piece) => (piece.includes('pulse_2') ? 1_600 * Math.random() : 0))
    }
    const store = await openShared(it.location, {}, end)
    const cursors: number[] = []
    // Batches are full, and take half a second: whoever acts too long on a lease shows.
    let appended = 800
    await Promise.all(range(appended).map((n) => store.append(eventOf(n))))
    // Changes of hands are by chance: as many as are to be seen, within a bound.
    const begunAt = performance.now()
    const lasted = () => performance.now() - begunAt
    while (lasted() < 6_000 || (runsOf(it.deliveries).length < 4 && lasted() < 30_000)) {
      await store.append(eventOf(appended++))
      cursors.push(await store.loadCursor('slow'))
      await pause(10)
    }
    for (const wire of wires) wire.delay(() => 0)
    await until('all are delivered', () => it.firsts().length === appended)
    expect(cursors).toEqual(cursors.toSorted((a, b) => a - b))
    expect(it.firsts()).toEqual(range(appended).map((n) => n + 1))
    const runs = runsOf(it.deliveries)
    expect(runs.length).toBeGreaterThan(2)
    expect(runs).toHaveLength(new Set(it.deliveries.map(({ by }) => by)).size)
    for (const run of runs) {
      const seqs = run.map(({ seq }) => seq)
      expect(seqs).toEqual(seqs.toSorted((a, b) => a - b))
    }
  })
})
