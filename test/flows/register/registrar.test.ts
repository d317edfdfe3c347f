// What the registrar does about each thing that it finds registered.
import { describe, expect, test } from 'vitest'
import { withReleased } from '../../../src/core/keys/key-ring.ts'
import { notifyKey } from '../../../src/core/keys/notify-key.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import { fakeApi } from '../../support/flows/flow-fakes.ts'
import {
  commanded,
  DOMAIN,
  ELSEWHERE,
  ELSEWHERE_SHOWN,
  FOREIGN,
  INTERVAL_MS,
  KEY,
  OLD,
  OUR_URL,
  ours,
  registration,
} from './registration-fixture.ts'

describe('each step of the plan acts', () => {
  test('create: writes all of it, looks at once, and is in sync', async () => {
    await using it = await registration()
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.provider.calls.map(({ operation }) => operation)).toEqual([
      'describe',
      'add',
      'describe',
    ])
    expect(it.view()).toMatchObject({
      state: 'in_sync',
      detail: null,
      keyKnown: true,
      generation: 0,
    })
    expect(it.changes).toEqual(['create'])
    expect(it.log.story()).toEqual(['nothing registered, creating it', 'registered'])
  })

  test('in sync: changes nothing, and says nothing at each poll', async () => {
    await using it = await registration()
    it.set(OUR_URL, KEY)
    await it.start()
    await it.clock.advance(10 * INTERVAL_MS)
    expect(it.provider.count('describe')).toBe(11)
    expect(it.provider.count('add') + it.provider.count('update')).toBe(0)
    expect(it.log.story()).toEqual(['registration in sync'])
  })

  test('rotate: a key of an older secret gives way to the first, and stays accepted', async () => {
    await using it = await registration()
    it.set(OUR_URL, notifyKey(OLD, DOMAIN, 2))
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: 2 })
    expect(it.changes).toEqual(['rotate'])
    expect(it.accepts(notifyKey(OLD, DOMAIN, 2))).toBe(true)
  })

  test('adopt: a key set by hand is accepted, and nothing is written', async () => {
    await using it = await registration()
    it.set(OUR_URL, FOREIGN)
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', generation: -1 })
    expect(it.generations.get(DOMAIN)).toBe(-1)
    expect(it.accepts(FOREIGN)).toBe(true)
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.changes).toEqual(['adopt'])
    expect(it.provider.count('update')).toBe(0)
  })

  test('repair: authentication goes on again, with the key that is there', async () => {
    await using it = await registration()
    it.set(OUR_URL, FOREIGN, false)
    await it.start()
    expect(it.configured()).toEqual(ours(FOREIGN))
    expect(it.changes).toEqual(['repair'])
  })

  test('repair: a former URL gives way, its key stays; both are accepted', async () => {
    await using it = await registration({
      publicUrls: ['https://hook.example.com', 'https://former.example.com/x'],
    })
    it.set(`https://former.example.com/x/callbacks/${DOMAIN}`, FOREIGN)
    await it.start()
    expect(it.configured()).toEqual(ours(FOREIGN))
    expect(it.rings.hosts(DOMAIN)).toEqual(['hook.example.com', 'former.example.com'])
    expect(it.rings.isCallbackPath('/x', DOMAIN)).toBe(true)
    expect(it.rings.isCallbackPath('/y', DOMAIN)).toBe(false)
  })

  test('our URL with its characters encoded otherwise is in sync', async () => {
    const publicUrls: [string] = ['https://hook.example.com/%C3%BC~x']
    await using it = await registration({ publicUrls })
    it.set(`https://hook.example.com/%c3%bc%7Ex/callbacks/${DOMAIN}`, KEY)
    await it.start()
    expect(it.view()).toMatchObject({ state: 'in_sync', foundUrl: null })
    expect(it.provider.count('update')).toBe(0)
    expect(it.rings.isCallbackPath('/%C3%BC~x', DOMAIN)).toBe(true)
  })

  test('repair: a URL that only the store remembers', async () => {
    await using before = await registration({ publicUrls: ['https://former.example.com'] })
    await before.start()
    const { store, provider, clock } = before
    await using it = await registration({ store, provider, clock })
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.rings.hosts(DOMAIN)).toContain('former.example.com')
  })

  test('conflict: another URL is left alone, named once, and looked at again', async () => {
    await using it = await registration()
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    await it.clock.advance(3 * INTERVAL_MS)
    expect(it.configured()).toMatchObject({ url: ELSEWHERE, key: FOREIGN })
    expect(it.view()).toMatchObject({ state: 'conflict', foundUrl: ELSEWHERE_SHOWN })
    expect(it.view()?.detail).toContain('SNAPHOOK_ON_CONFLICT=takeover')
    expect(it.log.story()).toEqual(['registration conflict'])
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(INTERVAL_MS)
    expect(it.view()).toMatchObject({ state: 'in_sync', foundUrl: null })
  })

  test('replace: with takeover, and the key found there stays accepted', async () => {
    await using it = await registration({ takeover: true })
    it.set(ELSEWHERE, FOREIGN)
    await it.start()
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.accepts(FOREIGN)).toBe(true)
    expect(it.changes).toEqual(['replace'])
  })

  test('released: nothing is asked and nothing is done', async () => {
    await using it = await registration()
    await it.rings.change(DOMAIN, (ring) => ({ ...ring, released: true }))
    await it.start()
    expect(it.view()).toMatchObject({ state: 'released' })
    expect(it.provider.calls).toEqual([])
  })

  test('released, or taken up again, beside the service: it shows within seconds', async () => {
    await using it = await registration()
    await it.start()
    await commanded(it, withReleased)
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(2_000)
    expect(it.view()?.state).toBe('released')
    await commanded(it, (ring) => ({ ...ring, released: false }))
    await it.clock.advance(2_000)
    expect(it.view()?.state).toBe('in_sync')
    expect(it.configured()).toEqual(ours(KEY))
  })

  test('a registration that is gone is created again, with a warning', async () => {
    await using it = await registration()
    await it.start()
    it.provider.configurations.delete(DOMAIN)
    await it.clock.advance(INTERVAL_MS)
    expect(it.configured()).toEqual(ours(KEY))
    expect(it.log.story()).toContain('registration is gone, creating it again')
  })

  test('one that went away while the service was down is told of with a warning, too', async () => {
    const before = await registration()
    await before.start()
    await before[Symbol.asyncDispose]()
    const { store, provider, clock } = before
    provider.configurations.delete(DOMAIN)
    await using it = await registration({ store, provider, clock })
    await it.start()
    expect(it.log.lines.filter(({ level }) => level === 'warn')).toMatchObject([
      { message: 'registration is gone, creating it again' },
    ])
  })
})

describe('a key that is not visible', () => {
  test.each([
    ['masked', () => 'abcd************'],
    ['absent', () => null],
  ])('%s: repaired once, then in sync, said once', async (_, show) => {
    await using it = await registration()
    it.provider.show = show
    it.set(OUR_URL, FOREIGN)
    await it.start()
    await it.clock.advance(5 * INTERVAL_MS)
    expect(it.provider.count('update')).toBe(1)
    expect(it.view()).toMatchObject({ state: 'in_sync', keyKnown: true, generation: 0 })
    const said = it.log.story().filter((line) => line.includes('no usable notify key'))
    expect(said).toHaveLength(1)
  })
})

test('a key that is too simple is never accepted, and the state says what to do', async () => {
  await using it = await registration()
  await it.start()
  it.set(OUR_URL, 'aaaaaaaaaaaaaaaa')
  await it.clock.advance(2 * INTERVAL_MS)
  expect(it.accepts('aaaaaaaaaaaaaaaa')).toBe(false)
  expect(it.view()).toMatchObject({
    state: 'in_sync',
    detail: expect.stringContaining('rotate it'),
  })
  expect(it.log.story().at(-1)).toBe('registration has a problem')
  expect(it.provider.count('update')).toBe(0)
  it.registrar.rotate(DOMAIN)
  await it.clock.advance(INTERVAL_MS)
  expect(it.view()).toMatchObject({ state: 'in_sync', detail: null, generation: 1 })
})

test('a bug is not taken for a fault of the provider: it ends the run', async () => {
  const { api } = fakeApi(Date.now)
  const describe: LiveApi['describe'] = () => Promise.reject(new TypeError('a bug'))
  const it = await registration({ api: { ...api, describe } })
  await expect(it.registrar.run(new AbortController().signal)).rejects.toThrow(TypeError)
})
