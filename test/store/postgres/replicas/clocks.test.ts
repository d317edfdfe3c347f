// What time it is, where each replica has a clock of its own. The numbers are those of the list in
// docs/scaling.md.
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createRingKeeper } from '../../../../src/flows/keys/key-rings.ts'
import type { Lease } from '../../../../src/ports/leases.ts'
import type { PruneStep } from '../../../../src/ports/retention.ts'
import { keptLog, keptMetrics } from '../../../support/flows/flow-fakes.ts'
import { manualClock } from '../../../support/flows/manual-clock.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { joinShared, readAll } from '../../../support/postgres/postgres-store.ts'
import { eventOf, range, SECRET } from '../../../support/store/store-events.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()
const MINUTE_MS = 60_000
const HOUR_MS = 3_600_000
const DAY_MS = 86_400_000

/** The same object, and a way to wait until none of its calls is under way. */
function told<S extends object>(store: S) {
  let calls = 0
  const methods = Object.entries(store).map(([name, method]) => [
    name,
    (...given: unknown[]) => {
      calls += 1
      return (method as (...given: unknown[]) => Promise<unknown>)(...given).finally(() => {
        calls -= 1
      })
    },
  ])
  async function quiet(): Promise<void> {
    for (let turns = 0; turns < 10; turns = calls === 0 ? turns + 1 : 0) await turn()
  }
  return { store: Object.fromEntries(methods) as S, quiet }
}

describe('time among replicas', () => {
  it('25: five replicas that receive for an hour have received for an hour', async () => {
    const location = server().newLocation()
    const clock = manualClock(undefined, 2)
    const never = new AbortController().signal
    const ended = new AbortController()
    const replicas = await Promise.all(
      range(5).map(async (n) => {
        const { store, leases } = await joinShared(location, `replica ${n}`)
        return { ...told(store), leases }
      }),
    )
    const [first, second] = replicas as [(typeof replicas)[0], (typeof replicas)[0]]
    let lease = (await first.leases.hold('registrar', never)) as Lease
    const keepers = replicas.map(({ store, leases }) =>
      createRingKeeper({
        domains: ['live.example.com'],
        publicUrls: ['https://hook.example.com'],
        secrets: [SECRET],
        store,
        graceSeconds: 900,
        countsTime: () => leases.isOwner('registrar'),
        clock,
        metrics: keptMetrics().metrics,
        log: keptLog(),
      }),
    )
    await Promise.all(keepers.map((keeper) => keeper.load()))
    const running = keepers.map((keeper) => keeper.run(ended.signal))
    async function pass(minutes: number): Promise<void> {
      for (const _ of range(minutes)) {
        await clock.advance(MINUTE_MS)
        await Promise.all(replicas.map(({ quiet }) => quiet()))
      }
    }
    await pass(30)
    expect(await first.store.loadReceivingTime()).toBe(1_800)
    // The owner changes in the middle of a minute: what it had not written yet is left out.
    await clock.advance(MINUTE_MS / 2)
    await lease.release()
    lease = (await second.leases.hold('registrar', never)) as Lease
    await clock.advance(MINUTE_MS / 2)
    await Promise.all(replicas.map(({ quiet }) => quiet()))
    await pass(29)
    expect(await first.store.loadReceivingTime()).toBe(3_600 - 60)
    for (const keeper of keepers) {
      const { receiving } = keeper.moment()
      expect(receiving).toBeLessThanOrEqual(3_600)
      expect(receiving).toBeGreaterThanOrEqual(3_600 - 120)
    }
    ended.abort()
    await Promise.all(running)
  })

  it('25: replicas a day apart: what they keep is neither old nor early, nor is a lease over', async () => {
    const location = server().newLocation()
    const off: number[][] = []
    const clocks = [0, DAY_MS, -DAY_MS].map((by) => () => Date.now() + by)
    const replicas = await Promise.all(
      clocks.map((now, n) => {
        const told: number[] = []
        off.push(told)
        const store = { now, onClock: (offMs: number) => told.push(offMs) }
        return joinShared(location, `replica ${n}`, { store, sinks: ['a'] })
      }),
    )
    const [right] = replicas as [(typeof replicas)[0]]
    const lease = (await right.leases.hold('sink:a', new AbortController().signal)) as Lease
    const over = new AbortController()
    const others = replicas.slice(1).map(({ leases }) => leases.hold('sink:a', over.signal))
    await until('all have pulsed', () => replicas.every(({ leases }) => leases.peers().length > 0))

    for (const [n, { store }] of replicas.entries()) {
      const receivedAt = clocks[n]?.() as number
      for (const nth of range(5)) await store.append(eventOf(10 * n + nth, { receivedAt }))
    }
    const kept = await readAll(right.store)
    for (const { receivedAt } of kept) expect(Math.abs(receivedAt - Date.now())).toBeLessThan(5_000)
    // What has been delivered is kept for an hour, whoever is the janitor; then it goes.
    await right.store.advanceCursor('a', 15)
    const step = (now: number, ...sinks: string[]): PruneStep => ({
      deliveredBefore: now - HOUR_MS,
      anyBefore: now - 2 * HOUR_MS,
      maxBytes: Number.MAX_SAFE_INTEGER,
      sinks,
      limit: 100,
      at: now,
    })
    for (const [n, { store }] of replicas.entries()) {
      expect(await store.prune(step(clocks[n]?.() as number, 'a'))).toMatchObject({ removed: 0 })
    }
    await server().query(
      `update ${location.schema}.events set received_at = received_at - ${3 * HOUR_MS} where seq <= 7`,
    )
    const [, ahead] = replicas
    const pruned = await ahead?.store.prune(step(clocks[1]?.() as number, 'a', 'late'))
    expect(pruned).toMatchObject({ removed: 7, expired: [{ sink: 'late', count: 7, toSeq: 7 }] })

    expect(lease.isHeld()).toBe(true)
    over.abort()
    expect(await Promise.all(others)).toEqual([null, null])
    expect(off[0]).toEqual([])
    expect(off[1]?.map((ms) => Math.round(ms / HOUR_MS))).toEqual([24])
    expect(off[2]?.map((ms) => Math.round(ms / HOUR_MS))).toEqual([-24])
  })
})
