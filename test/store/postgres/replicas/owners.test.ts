// Who owns what among replicas, on a real server. The numbers are those of the list in
// docs/scaling.md.
import { randomUUID } from 'node:crypto'
import { describe, expect, it, onTestFinished } from 'vitest'
import { whileOwner } from '../../../../src/flows/tenure.ts'
import type { Lease, Leases } from '../../../../src/ports/leases.ts'
import { LEASE_TIMES } from '../../../../src/store/postgres/replicas/leases.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { joinShared } from '../../../support/postgres/postgres-store.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()
const TTL_MS = LEASE_TIMES.ttlMs

/** Pulses by the moment, and leases that outlast a machine that is busy. */
const QUICK = { ...LEASE_TIMES, pulseMs: 40, patienceMs: 400, rebalanceMs: 250, recallMs: 100 }

/** Takes part in owning `sinks`, until it stops or the test ends. */
function takePart(leases: Leases, sinks: readonly string[], onTenure: (lease: Lease) => void) {
  const stopping = new AbortController()
  const owned = new Set<string>()
  const loops = sinks.map((sink) =>
    whileOwner(leases, `sink:${sink}`, stopping.signal, async (lease) => {
      owned.add(sink)
      onTenure(lease)
      const over = AbortSignal.any([stopping.signal, lease.recalled, lease.lost])
      if (!over.aborted) await new Promise((resolve) => over.addEventListener('abort', resolve))
      owned.delete(sink)
    }),
  )
  async function stop(): Promise<void> {
    stopping.abort()
    await Promise.all(loops)
  }
  onTestFinished(stop)
  return { owned, stop }
}

describe('owners on PostgreSQL', () => {
  it('28: sinks spread again after a rolling restart, one at a time, and then stay', async () => {
    const location = server().newLocation()
    const sinks = ['a', 'b', 'c', 'd', 'e', 'f', 'g']
    const held = new Map<string, Lease>()
    let tenures = 0
    const replicas: { owned: ReadonlySet<string>; stop(): Promise<void> }[] = []
    const counts = () => replicas.map(({ owned }) => owned.size).toSorted()
    async function start(name: string, pulseMs: number): Promise<void> {
      const { leases } = await joinShared(location, name, { times: { ...QUICK, pulseMs } })
      replicas.push(
        takePart(leases, sinks, (lease) => {
          expect(held.get(lease.task)?.isHeld() ?? false, lease.task).toBe(false)
          held.set(lease.task, lease)
          tenures += 1
        }),
      )
    }
    await start('one', QUICK.pulseMs)
    await until('the first one owns all', () => counts()[0] === 7)
    await start('two', QUICK.pulseMs)
    await until('each of two has about half', () => counts().join() === '3,4')
    expect(tenures).toBe(10)
    // Slower than those that give back: they must not be the first to take it again.
    await start('three', 2 * QUICK.pulseMs)
    await until('each of three has about a third', () => counts().join() === '2,2,3')
    const before = tenures
    // Two have to change hands, and those that begin at once may take each other's.
    expect(before).toBeLessThanOrEqual(14)
    await new Promise((resolve) => setTimeout(resolve, 3 * QUICK.rebalanceMs))
    expect(tenures).toBe(before)
  })

  it('a task that is free is taken at once by whoever asks for it', async () => {
    const location = server().newLocation()
    const { leases } = await joinShared(location, 'one')
    const start = performance.now()
    const lease = await leases.hold('sink:a', new AbortController().signal)
    expect(lease?.isHeld()).toBe(true)
    // Not only with the next pulse.
    expect(performance.now() - start).toBeLessThan(LEASE_TIMES.pulseMs)
    await lease?.release()
    const again = await leases.hold('sink:a', new AbortController().signal)
    expect(performance.now() - start).toBeLessThan(LEASE_TIMES.pulseMs)
    expect(again?.token).not.toBe(lease?.token)
  })

  it('what a pulse claimed whose answer never came is claimed anew, and not held since then', async () => {
    const location = server().newLocation()
    const { leases } = await joinShared(location, 'another')
    const released = await leases.hold('sink:a', new AbortController().signal)
    await released?.release()
    const replica = randomUUID()
    async function pulse(tokens: readonly string[], wanted: readonly string[]) {
      const [row] = await server().query(
        `select ${location.schema}.pulse_2($1, 'one', '0', '{}', $2, $3, $4, 0) as answer`,
        [replica, tokens, wanted, TTL_MS],
      )
      return (row as { answer: { held: Record<string, string> } }).answer.held
    }
    const { 'sink:a': unheard } = await pulse([], ['sink:a'])
    expect(unheard).toBeDefined()
    // It still asks for the task, and has no token.
    const { 'sink:a': token } = await pulse([], ['sink:a'])
    expect(token).not.toBe(unheard)
    const [lease] = await server().query(
      `select token, extract(epoch from expires_at - since)::float8 * 1000 as ms
       from ${location.schema}.leases where task = 'sink:a'`,
    )
    expect(lease).toEqual({ token, ms: TTL_MS })
    expect(await pulse([token as string], [])).toEqual({ 'sink:a': token })
    // Neither renewed nor asked for: it runs out, and is nobody's to act on.
    expect(await pulse([unheard as string], [])).toEqual({})
  })
})
