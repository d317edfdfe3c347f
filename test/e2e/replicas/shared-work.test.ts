// How several services on one PostgreSQL share what is to be done. Each has a store, leases and
// listeners of its own. The numbers are those of the list in docs/scaling.md.
import { setTimeout as pause } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { deregisterAll } from '../../../src/admin/deregister.ts'
import { rotateAll } from '../../../src/admin/register.ts'
import type { Overrides } from '../../../src/app/overrides.ts'
import { secretFrom } from '../../../src/core/keys/notify-key.ts'
import type { PostgresLocation } from '../../../src/core/store-place.ts'
import type { Sink } from '../../../src/ports/sink.ts'
import { LEASE_TIMES } from '../../../src/store/postgres/replicas/leases.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { openShared, storeUrl } from '../../support/postgres/postgres-store.ts'
import { configOf, keptWorld, serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import {
  DOMAIN,
  keyOf,
  type Running,
  readiness,
  SECRET,
  type Settings,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { range } from '../../support/store/store-events.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile()
const leaseTimes = { ...LEASE_TIMES, pulseMs: 200 }
/** Where sinks lead that a test replaces. */
const NOWHERE = 'http://127.0.0.1:2/'
const WEBHOOKS = { SNAPHOOK_WEBHOOK_SECRET: `whsec_${Buffer.alloc(32, 'x').toString('base64')}` }

type Service = Running & AsyncDisposable

/** A stage, with one store that any number of services share. */
async function shared(settings: Settings = {}) {
  const stage = await setStage()
  const location = server().newLocation()
  const store = { SNAPHOOK_STORE: storeUrl(location), ...WEBHOOKS, ...settings }
  const services = new Set<Service>()
  onTestFinished(async () => {
    await Promise.all([...services].map((service) => service[Symbol.asyncDispose]()))
    await stage[Symbol.asyncDispose]()
  })
  const signedHost = new URL(stage.front.url).hostname
  return {
    stage,
    location,
    async start(more: Settings = {}, overrides: Partial<Overrides> = {}): Promise<Service> {
      const service = await serveHere(stage, { ...store, ...more }, { leaseTimes, ...overrides })
      services.add(service)
      return service
    },
    async stop(service: Service): Promise<void> {
      services.delete(service)
      await service[Symbol.asyncDispose]()
    },
    /** One callback to one of them, past the public URL. Returns its status. */
    async send({ callbacks }: Running, key = keyOf(0)): Promise<number> {
      return (await sendCallback(`${callbacks}/callbacks/${DOMAIN}`, { key, signedHost })).status
    },
    /** Waits until all of them take callbacks. */
    async ready(services: readonly Running[]): Promise<void> {
      for (const service of services) {
        await settled(service)
        await until('it is ready', async () => (await readiness(service)).ready)
      }
    },
    /** What commands beside them are given. */
    beside: () => [configOf(stage, store), keptWorld(stage).world] as const,
  }
}

/** A sink that notes what it is given. */
function notingSink(
  name: string,
  had: number[],
  ready: Promise<unknown> = Promise.resolve(),
): Sink {
  return {
    name,
    check: async () => ({ reachable: true, detail: '' }),
    close: async () => undefined,
    async deliver(events) {
      await ready
      had.push(...events.map(({ seq }) => seq))
      return { kind: 'delivered' }
    },
  }
}

async function ringOf(location: PostgresLocation) {
  const seals = createSeals([secretFrom(Buffer.from(SECRET, 'base64url'))])
  const store = await openShared(location, { seals })
  return (await store.loadRing(DOMAIN))?.ring
}

test('22: a sink that only half of the replicas know is served by those, and kept for by all', async () => {
  const it = await shared({ SNAPHOOK_RETENTION: '1s' })
  const [old, both] = [`a=${NOWHERE}`, `a=${NOWHERE},new=${NOWHERE}`]
  const [hadByA, hadByNew]: [number[], number[]] = [[], []]
  const opened = Promise.withResolvers<void>()
  const a = () => notingSink('a', hadByA)
  const late = () => notingSink('new', hadByNew, opened.promise)
  const first = await it.start({ SNAPHOOK_SINKS: old }, { sinks: [a()] })
  await settled(first)
  await until('the old settings are the janitor’s', async () => {
    return (await readiness(first)).replicas?.[0]?.owns.includes('janitor')
  })
  const rest = await Promise.all([
    it.start({ SNAPHOOK_SINKS: old }, { sinks: [a()] }),
    it.start({ SNAPHOOK_SINKS: both }, { sinks: [a(), late()] }),
    it.start({ SNAPHOOK_SINKS: both }, { sinks: [a(), late()] }),
  ])
  await until('all know each other', async () => (await readiness(first)).replicas?.length === 4)
  for (const each of [first, ...rest]) expect(await it.send(each)).toBe(200)
  await until('the one has all', () => hadByA.length === 4)
  // Longer than what is delivered is kept.
  await pause(2_500)
  expect((await readiness(first)).sinks.map(({ name }) => name)).toEqual(['a'])
  opened.resolve()
  await until('the new one has all', () => hadByNew.length === 4)
  expect(hadByNew).toEqual([1, 2, 3, 4])
  const store = await openShared(it.location)
  expect(await store.readExpired(null)).toEqual([])
  await until('then it goes', async () => (await store.stats()).events === 0)
})

test('23: three replicas find an overwrite once, beside a rotation; deregistered is for all', async () => {
  const it = await shared({ SNAPHOOK_ON_CONFLICT: 'takeover' })
  const { stage } = it
  const services = await Promise.all(range(3).map(() => it.start()))
  await it.ready(services)
  expect([stage.calls('Add'), stage.calls('Update')]).toEqual([1, 0])
  await stage.call('UpdateLiveSnapshotNotifyConfig', {
    DomainName: DOMAIN,
    NotifyUrl: 'https://other.example.com/hook',
    NotifyReqAuth: 'yes',
    NotifyAuthKey: 'SomebodyElses0123456789',
  })
  const updates = stage.calls('Update')
  // Each of them is made to look.
  await Promise.all(services.map((service) => it.send(service, 'AnotherKey0123456789abc')))
  await until('it is ours again', () => stage.configured()?.NotifyUrl === stage.callbackUrl())
  await it.ready(services)
  expect(stage.calls('Update') - updates).toBe(1)
  expect((await ringOf(it.location))?.contest).toMatchObject({ heldAt: null })
  expect((await ringOf(it.location))?.contest.seenAt).toHaveLength(1)

  const soon = AbortSignal.timeout(20_000)
  const rotate = () => rotateAll(...it.beside(), [DOMAIN], soon)
  for (const done of await Promise.all([rotate(), rotate()])) {
    expect(done).toMatchObject([{ state: 'in_sync' }])
  }
  const ring = await ringOf(it.location)
  const key = stage.configured()?.NotifyAuthKey
  const generation = ring?.current?.kind === 'derived' ? ring.current.generation : -1
  expect(generation).toBeGreaterThanOrEqual(1)
  expect(key).toBe(keyOf(generation))
  for (const service of services) {
    await until('it takes the new key', async () => (await it.send(service, key)) === 200)
  }
  expect(await deregisterAll(...it.beside(), soon)).toMatchObject([{ outcome: 'deleted' }])
  for (const service of services) await settled(service, 'released')
  await pause(500)
  expect(stage.configured()).toBeNull()
  expect(stage.calls('Add')).toBe(1)
})

test('24: a flood of bad signatures over four replicas costs one look, and soon nobody a wait', async () => {
  const it = await shared()
  const services = await Promise.all(range(4).map(() => it.start()))
  await it.ready(services)
  const before = it.stage.calls('Describe')
  const flood = (count: number) =>
    Promise.all(
      services.flatMap((service) =>
        range(count).map((n) => it.send(service, `NoKeyOfOurs0123456789${n}`)),
      ),
    )
  await flood(10)
  const start = performance.now()
  expect(new Set(await flood(25))).toEqual(new Set([401]))
  expect(performance.now() - start).toBeLessThan(2_000)
  for (const service of services) expect(await it.send(service)).toBe(200)
  expect(it.stage.calls('Describe') - before).toBe(1)
})

test('28: all replicas are replaced under load: nothing is refused, no sink is long without an owner', async () => {
  const names = ['a', 'b', 'c']
  const it = await shared({ SNAPHOOK_SINKS: names.map((name) => `${name}=${NOWHERE}`).join() })
  const had = new Map(names.map((name) => [name, [] as number[]]))
  const deliveredAt = new Map<string, number>()
  let longestGapMs = 0
  const sinks = () =>
    names.map((name): Sink => {
      const sink = notingSink(name, had.get(name) as number[])
      return {
        ...sink,
        async deliver(events, signal) {
          const now = performance.now()
          longestGapMs = Math.max(longestGapMs, now - (deliveredAt.get(name) ?? now))
          deliveredAt.set(name, now)
          return sink.deliver(events, signal)
        },
      }
    })
  const start = () => it.start({}, { sinks: sinks(), leaseTimes: LEASE_TIMES })

  let targets = await Promise.all(range(3).map(start))
  await it.ready(targets)
  let isOver = false
  const statuses: number[] = []
  const sending = range(4).map(async (n) => {
    while (!isOver) {
      const target = targets[(n + statuses.length) % targets.length] as Service
      statuses.push(await it.send(target))
      await pause(5)
    }
  })
  await until('the load has begun', () => statuses.length > 30)
  for (const leaving of targets) {
    const fresh = await start()
    await it.ready([fresh])
    targets = [...targets.filter((service) => service !== leaving), fresh]
    // As a load balancer does that has heard of it: what it has sent is still to be answered.
    await pause(20)
    await it.stop(leaving)
  }
  const most = statuses.length
  await until('the load goes on', () => statuses.length > most + 30)
  isOver = true
  await Promise.all(sending)
  expect(statuses.filter((status) => status !== 200)).toEqual([])
  // Two seconds without an owner, and a little until the next event is there.
  expect(longestGapMs).toBeLessThan(2_500)
  for (const seqs of had.values()) {
    await until('all is delivered', () => new Set(seqs).size === statuses.length)
    // In order, but for what a stop in the middle of a batch repeats.
    const first = seqs.filter((seq, at) => seqs.indexOf(seq) === at)
    expect(first).toEqual(range(statuses.length).map((n) => n + 1))
    expect(seqs.length - first.length).toBeLessThanOrEqual(3 * 20)
  }
})
