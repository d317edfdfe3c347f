import { describe, expect, test } from 'vitest'
import {
  EMPTY_RING,
  withConfirmedUrl,
  withCurrent,
  withReleased,
} from '../../../src/core/keys/key-ring.ts'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import { ServiceError } from '../../../src/errors.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import {
  DOMAIN,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  NEW,
  registration,
} from '../register/registration-fixture.ts'

const MINUTE = 60_000
const derived = (generation: number) =>
  ({ kind: 'derived', secret: NEW.fingerprint, generation }) as const

test('a ring that a command changed is followed within a second', async () => {
  await using it = await registration()
  await it.start()
  const { ring, revision } = it.store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  const at = { now: it.clock.now(), receiving: 0 }
  await it.store.saveRing(DOMAIN, withCurrent(ring, derived(7), at), revision)
  await it.clock.advance(1_000)
  expect(it.accepts(notifyKey(NEW, DOMAIN, 8))).toBe(true)
})

test('200 domains in use hold up neither a change that a command makes, nor a stop', async () => {
  const clock = manualClock(undefined, 3)
  const store = memoryStore()
  const domains = Array.from({ length: 200 }, (_, n) => `play-${n}.example.com`)
  const { saveRing } = store
  store.saveRing = async (...call) => {
    // A sync of the disk.
    await clock.sleep(25, new AbortController().signal)
    return saveRing(...call)
  }
  const it = await registration({ clock, store, domains })
  const ended = new AbortController()
  const running = it.rings.run(ended.signal)
  const use = () => {
    for (const domain of domains) it.rings.noteUse(domain, derived(0))
  }
  use()
  await clock.advance(MINUTE + 100)
  await saveRing('play-199.example.com', withReleased(EMPTY_RING), 1)
  await clock.advance(1_500)
  expect(it.rings.ring('play-199.example.com').released).toBe(true)
  use()
  const stopAt = clock.elapsed()
  ended.abort()
  const took = running.then(() => clock.elapsed() - stopAt)
  await clock.advance(5_000)
  expect(await took).toBeLessThan(1_000)
})

test('a ring that could not be read is read again, within a second', async () => {
  await using it = await registration()
  await it.start()
  const { ring, revision } = it.store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  const at = { now: it.clock.now(), receiving: 0 }
  await it.store.saveRing(DOMAIN, withCurrent(ring, derived(7), at), revision)
  const { loadRing } = it.store
  it.store.loadRing = async () => {
    it.store.loadRing = loadRing
    throw new ServiceError('not now', { code: 'store_failed' })
  }
  await it.clock.advance(1_000)
  expect(it.accepts(notifyKey(NEW, DOMAIN, 8))).toBe(false)
  await it.clock.advance(1_000)
  expect(it.accepts(notifyKey(NEW, DOMAIN, 8))).toBe(true)
})

test('a ring that can never be read holds up its own domain, and no other', async () => {
  const store = memoryStore()
  const { loadRing } = store
  let reads = 0
  store.loadRing = async (domain) => {
    if (domain !== 'broken.example.com') return loadRing(domain)
    reads += 1
    throw new ServiceError('The key ring is not JSON', { code: 'ring_damaged' })
  }
  await using it = await registration({ store, domains: [DOMAIN, 'broken.example.com'] })
  await it.start()
  const [view, broken] = it.registrar.views()
  expect(view).toMatchObject({ state: 'in_sync', keyKnown: true })
  expect(broken).toMatchObject({ state: 'failed', detail: 'The key ring is not JSON' })
  expect(it.provider.configurations.has('broken.example.com')).toBe(false)
  const before = reads
  await it.clock.advance(10_000)
  expect(reads - before).toBe(10)
  const url = 'https://x.example.com/callbacks/d'
  await store.saveRing(
    DOMAIN,
    withConfirmedUrl(it.rings.ring(DOMAIN), url),
    store.rings.get(DOMAIN)?.revision ?? 0,
  )
  await it.clock.advance(1_000)
  expect(it.rings.ring(DOMAIN).confirmedUrl).toBe(url)
  const said = it.log.story().filter((line) => line.startsWith('key rings not in step'))
  expect(said).toHaveLength(1)
  store.loadRing = loadRing
  await it.clock.advance(INTERVAL_MS)
  expect(it.registrar.views()[1]).toMatchObject({ state: 'in_sync' })
})

test('a store that fails at the start is a fault of the start', async () => {
  const store = memoryStore()
  store.fail = 'store_failed'
  await expect(registration({ store })).rejects.toMatchObject({ code: 'store_failed' })
})

test('a bug is not taken for a store that fails: it ends the run', async () => {
  await using it = await registration()
  it.store.ringsVersion = async () => {
    throw new TypeError('a bug')
  }
  const running = it.rings.run(new AbortController().signal)
  const ended = expect(running).rejects.toThrow(TypeError)
  await it.clock.advance(1_000)
  await ended
})

test('a store that was put back to an earlier state is what counts', async () => {
  await using it = await registration()
  await it.start()
  const earlier = it.store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  await it.rings.change(DOMAIN, (ring) => withConfirmedUrl(ring, 'https://x.example.com/d'))
  it.store.rings.set(DOMAIN, earlier)
  await it.rings.change(DOMAIN, (ring) => withConfirmedUrl(ring, 'https://y.example.com/d'))
  expect(it.rings.hosts(DOMAIN)).toContain('y.example.com')
  expect(it.rings.hosts(DOMAIN)).not.toContain('x.example.com')
})

test('a change that meets a newer revision is made again on top of it', async () => {
  await using it = await registration()
  await it.start()
  const { ring, revision } = it.store.rings.get(DOMAIN) ?? { ring: EMPTY_RING, revision: 0 }
  const at = { now: it.clock.now(), receiving: 0 }
  await it.store.saveRing(
    DOMAIN,
    withCurrent(ring, { kind: 'foreign', key: FOREIGN }, at),
    revision,
  )
  await it.rings.change(DOMAIN, (now) => withConfirmedUrl(now, 'https://x.example.com/callbacks/d'))
  expect(it.accepts(FOREIGN)).toBe(true)
  expect(it.rings.hosts(DOMAIN)).toContain('x.example.com')
})

test('uses and receiving time are written back once a minute, and at the end', async () => {
  const it = await registration()
  {
    await using running = it
    await running.start()
    const used = () => running.store.rings.get(DOMAIN)?.ring.keys[0]?.usedAt
    await running.clock.advance(30_000)
    const [key] = running.rings.accepted(DOMAIN).keys
    running.rings.noteUse(DOMAIN, key?.id ?? derived(0))
    const before = used()
    await running.clock.advance(15_000)
    expect(used()).toBe(before)
    await running.clock.advance(15_000)
    expect(used()).toBe(30)
    expect(await running.store.loadReceivingTime()).toBe(60)
    await running.clock.advance(MINUTE / 2)
  }
  expect(await it.store.loadReceivingTime()).toBe(90)
})

test('a wall clock that jumps counts for nothing: receiving time is time spent', async () => {
  const it = await registration()
  const { now } = it.clock
  {
    await using running = it
    await running.start()
    Object.assign(running.clock, { now: () => now() + 3 * 86_400_000 })
    await running.clock.advance(30_000)
  }
  expect(await it.store.loadReceivingTime()).toBe(30)
})

test('a ring that was read before a save does not take its place', async () => {
  await using it = await registration()
  await it.start()
  const read = Promise.withResolvers<void>()
  const { loadRing } = it.store
  it.store.loadRing = async (domain) => {
    const stored = await loadRing(domain)
    await read.promise
    return stored
  }
  const refreshing = it.rings.refresh(DOMAIN)
  await it.clock.settle()
  const url = 'https://x.example.com/callbacks/d'
  await it.rings.change(DOMAIN, (ring) => withConfirmedUrl(ring, url))
  read.resolve()
  await refreshing
  expect(it.rings.ring(DOMAIN).confirmedUrl).toBe(url)
})

test('a key in force whose secret is gone is not known', async () => {
  await using it = await registration()
  await it.rings.change(DOMAIN, (ring, at) =>
    withCurrent(ring, { kind: 'derived', secret: 'gone', generation: 0 }, at),
  )
  expect(it.rings.accepted(DOMAIN).known).toBe(false)
})

test('a restart forgets neither the last callback nor the unsigned ones', async () => {
  const first = await registration()
  {
    await using running = first
    await running.start()
    for (let count = 0; count < 3; count += 1) running.rings.noteUnsigned(DOMAIN)
    await running.clock.advance(MINUTE)
    running.rings.noteUnsigned(DOMAIN)
  }
  const { store } = first
  expect(await store.loadTally(DOMAIN)).toMatchObject({ unsigned: 4 })
  await store.append({
    id: 'ab'.repeat(32),
    domain: DOMAIN,
    origin: 'callback',
    receivedAt: 1_700_000_000_000,
    occurredAt: 1_700_000_000_000,
    body: new Uint8Array(),
  })
  await using again = await registration({ store })
  expect(again.lastCallbacks.get(DOMAIN)).toBe(1_700_000_000_000)
  expect(again.view()).toMatchObject({ unsigned: 4, lastCallbackAt: '2023-11-14T22:13:20.000Z' })
})

test('unsigned callbacks are told of once per domain, with their count', async () => {
  await using it = await registration()
  await it.start()
  for (let n = 0; n < 3; n++) it.rings.noteUnsigned(DOMAIN)
  await it.clock.advance(5_000)
  it.rings.noteUnsigned(DOMAIN)
  await it.clock.advance(5_000)
  const told = it.log.lines.filter(({ message }) =>
    message.startsWith('unsigned callbacks refused'),
  )
  expect(told).toMatchObject([{ level: 'warn', fields: { domain: DOMAIN, count: 3 } }])
})

test('a store that fails meanwhile is told of once, and when that is over, and no use is forgotten', async () => {
  await using it = await registration()
  await it.start()
  const [key] = it.rings.accepted(DOMAIN).keys
  await it.clock.advance(50_000)
  it.rings.noteUse(DOMAIN, key?.id ?? derived(0))
  it.store.fail = 'store_full'
  await it.clock.advance(30_000)
  it.store.fail = undefined
  await it.clock.advance(MINUTE)
  expect(it.log.story().filter((line) => line.startsWith('key rings'))).toEqual([
    'key rings not in step with the store',
    'key rings in step with the store again',
  ])
  expect(it.store.rings.get(DOMAIN)?.ring.keys[0]?.usedAt).toBe(50)
})

describe('what a request names', () => {
  test('costs no memory: only configured domains are known', async () => {
    await using it = await registration()
    expect(it.rings.isCallbackPath('', 'not.ours')).toBe(true)
    expect(it.rings.isCallbackPath('/else', 'not.ours')).toBe(false)
    expect(() => it.rings.accepted('not.ours')).toThrow(TypeError)
  })
})

test('a ring that vanished from the store starts anew', async () => {
  await using it = await registration()
  await it.start()
  it.store.rings.delete(DOMAIN)
  await it.rings.refresh(DOMAIN)
  expect(it.rings.accepted(DOMAIN)).toMatchObject({ known: false })
  expect(it.accepts(KEY)).toBe(true)
})
