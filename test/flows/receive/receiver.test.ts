import { describe, expect, test } from 'vitest'
import type { AcceptedKey } from '../../../src/core/keys/accepted-keys.ts'
import type { KeyId } from '../../../src/core/keys/key-ring.ts'
import { sign } from '../../../src/core/keys/signature.ts'
import { type FaultCode, ServiceError } from '../../../src/errors.ts'
import {
  type CallbackRequest,
  createReceiver,
  type KeySource,
} from '../../../src/flows/receive/receiver.ts'
import type { EventLog } from '../../../src/ports/store.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'
import { memoryStore } from '../../support/store/memory-store.ts'

const DOMAIN = 'play.example.com'
const HOST = 'hook.example.com'
const KEY = 'currentKeyOfThisTest'
const FRESH = 'keySetByHandMeanwhile'
const keyOf = (key: string): AcceptedKey => ({ key, id: { kind: 'foreign', key }, role: 'current' })

function fixture(over: { append?: EventLog['append']; skewSeconds?: number | undefined } = {}) {
  const clock = manualClock()
  const store = memoryStore()
  const log = keptLog()
  const counted: string[] = []
  const flags: string[] = []
  const looks: PromiseWithResolvers<void>[] = []
  const state = {
    known: true,
    keys: [keyOf(KEY)],
    mayLook: false,
    unsigned: 0,
    used: [] as string[],
    beyond: [] as AcceptedKey[],
    learnt: [] as KeyId[],
    forgetful: false,
    unsure: false,
    hosts: [HOST],
  }
  const keys: KeySource = {
    hosts: () => state.hosts,
    accepted: () => state,
    look() {
      if (!state.mayLook) return undefined
      const look = Promise.withResolvers<void>()
      looks.push(look)
      return look.promise
    },
    isUnsure: () => state.unsure,
    beyond: () => state.beyond,
    async learn(_, id) {
      if (state.forgetful) throw new ServiceError('not saved', { code: 'store_failed' })
      state.learnt.push(id)
    },
    noteUse: (_, id) => state.used.push(id.kind),
    noteHost(_, host) {
      state.hosts = [...new Set([host, ...state.hosts])]
    },
    noteUnsigned() {
      state.unsigned += 1
    },
  }
  const { receive } = createReceiver({
    domains: [DOMAIN],
    skewSeconds: 'skewSeconds' in over ? over.skewSeconds : 300,
    keys,
    events: { append: over.append ?? store.append },
    clock,
    metrics: {
      callback: (domain, outcome) => counted.push(`${domain} ${outcome}`),
      verified: (domain, role, age) => counted.push(`${domain} ${role} ${age}`),
      flagged: (_, given) => flags.push(...given),
    },
    log,
  })
  const seconds = () => Math.floor(clock.now() / 1_000)

  /** A good callback, but for what is said otherwise. */
  function post(
    request: Partial<CallbackRequest> & { key?: string; at?: number; text?: string } = {},
  ) {
    const { key = KEY, at = seconds(), text = '{"OssObject":"o.jpg"}', ...given } = request
    const timestamp = String(at)
    return receive({
      domain: DOMAIN,
      method: 'POST',
      contentLength: text.length,
      timestamp,
      signature: sign(HOST, timestamp, key),
      readBody: async () => new TextEncoder().encode(text),
      ...given,
    })
  }
  return { clock, store, log, counted, flags, looks, state, seconds, post }
}

describe('the refusal table', () => {
  test.each<[string, Parameters<ReturnType<typeof fixture>['post']>[0]]>([
    ['unknown_domain', { domain: 'not.ours' }],
    ['method', { method: 'GET' }],
    ['too_large', { contentLength: 64 * 1024 + 1 }],
    ['missing_header', { timestamp: undefined }],
    ['missing_header', { signature: undefined }],
    ['bad_timestamp', { timestamp: '12x' }],
    ['bad_signature', { key: 'anotherKey' }],
    ['bad_signature', { signature: 'no hex' }],
    ['too_large', { contentLength: undefined, readBody: async () => 'too_large' }],
    ['aborted', { readBody: async () => 'aborted' }],
    ['accepted', {}],
    ['accepted', { contentLength: 64 * 1024 }],
  ])('%s', async (outcome, request) => {
    const { post, counted, store } = fixture()
    expect(await post(request)).toBe(outcome)
    expect(counted.at(-1)).toBe(`${request?.domain ? 'other' : DOMAIN} ${outcome}`)
    expect((await store.stats()).events).toBe(outcome === 'accepted' ? 1 : 0)
  })

  test('stale and future, by the allowed skew; off allows any age', async () => {
    const { post, seconds } = fixture()
    expect(await post({ at: seconds() - 302 })).toBe('stale')
    expect(await post({ at: seconds() + 302 })).toBe('future')
    const lenient = fixture({ skewSeconds: undefined })
    expect(await lenient.post({ at: 1 })).toBe('accepted')
  })

  test('cheap checks come first: a bad signature never has its body read', async () => {
    const { post } = fixture()
    const readBody = () => Promise.reject(new Error('read'))
    expect(await post({ key: 'anotherKey', readBody })).toBe('bad_signature')
  })

  test('no key known: 503 for what does not verify, accepted for what does', async () => {
    const { post, state } = fixture()
    state.known = false
    expect(await post({ key: 'anotherKey' })).toBe('no_key')
    expect(await post()).toBe('accepted')
  })

  test('unsigned callbacks are counted; one header alone is something else', async () => {
    const { post, state } = fixture()
    await post({ timestamp: undefined, signature: undefined })
    await post({ timestamp: undefined })
    expect(state.unsigned).toBe(1)
  })
})

describe('what verified is kept', () => {
  test('a repeat is a duplicate, and a success', async () => {
    const { post, counted, state } = fixture()
    expect([await post(), await post()]).toEqual(['accepted', 'duplicate'])
    expect(counted).toEqual([
      `${DOMAIN} current 0`,
      `${DOMAIN} accepted`,
      `${DOMAIN} current 0`,
      `${DOMAIN} duplicate`,
    ])
    expect(state.used).toEqual(['foreign', 'foreign'])
  })

  test('also what is not understood, flagged', async () => {
    const { post, flags, store } = fixture()
    expect(await post({ text: 'not JSON' })).toBe('accepted')
    expect(flags).toEqual(['not_json'])
    const [event] = await store.read(0, 1)
    expect(new TextDecoder().decode(event?.body)).toBe('not JSON')
  })

  test('and only then answered', async () => {
    const kept = Promise.withResolvers<{ seq: number; duplicate: boolean }>()
    const { post, clock } = fixture({ append: () => kept.promise })
    let answered = false
    const answer = post().then((outcome) => {
      answered = true
      return outcome
    })
    await clock.settle()
    expect(answered).toBe(false)
    kept.resolve({ seq: 1, duplicate: false })
    expect(await answer).toBe('accepted')
  })

  test.each<[FaultCode, string]>([
    ['store_overloaded', 'overloaded'],
    ['store_full', 'store_failed'],
    ['store_slow', 'store_failed'],
    ['store_failed', 'store_failed'],
  ])('%s: %s', async (code, outcome) => {
    const { post } = fixture({ append: () => Promise.reject(new ServiceError('x', { code })) })
    expect(await post()).toBe(outcome)
  })
})

test('trouble of the store is told of once, and so is its end', async () => {
  const { post, store, log } = fixture()
  store.fail = 'store_full'
  await post()
  await post()
  store.fail = undefined
  await post()
  await post({ text: '{}' })
  expect(log.story()).toEqual([
    'callbacks are refused, since the store fails',
    'the store takes events again',
  ])
})

describe('a look on an unknown key', () => {
  test('is waited for, and the callback verified once more', async () => {
    const { post, state, looks } = fixture()
    state.mayLook = true
    const waiting = post({ key: FRESH })
    expect(looks).toHaveLength(1)
    state.keys = [keyOf(FRESH)]
    looks[0]?.resolve()
    expect(await waiting).toBe('accepted')
  })

  test.each([
    ['is learnt', false],
    ['that can not be saved counts for this callback', true],
  ])('to no avail: a key beyond those that are accepted %s', async (_, forgetful) => {
    const { post, state, looks } = fixture()
    Object.assign(state, { mayLook: true, beyond: [keyOf(FRESH)], forgetful })
    const waiting = [post({ key: FRESH }), post({ key: 'neitherThisOne' })]
    for (const look of looks) look.resolve()
    expect(await Promise.all(waiting)).toEqual(['accepted', 'bad_signature'])
    expect(state.learnt).toEqual(forgetful ? [] : [keyOf(FRESH).id])
    state.mayLook = false
    expect(await post({ key: FRESH })).toBe('bad_signature')
  })

  test('ends after 2.5 s, and then the callback could not be judged', async () => {
    const { post, state, clock } = fixture()
    state.mayLook = true
    let outcome: string | undefined
    const waiting = post({ key: FRESH }).then((answer) => {
      outcome = answer
    })
    await clock.advance(2_499)
    expect(outcome).toBeUndefined()
    await clock.advance(1)
    await waiting
    expect(outcome).toBe('no_key')
  })

  test('that failed says nothing: what no key verifies could not be judged', async () => {
    const { post, state, looks } = fixture()
    Object.assign(state, { mayLook: true, unsure: true })
    const waiting = post({ key: FRESH })
    looks[0]?.resolve()
    expect(await waiting).toBe('no_key')
    state.mayLook = false
    expect(await post({ key: FRESH })).toBe('no_key')
    expect(await post()).toBe('accepted')
    state.unsure = false
    expect(await post({ key: FRESH })).toBe('bad_signature')
  })

  test('also tries the unlikely host, which is a likely one from then on', async () => {
    const { post, state, looks, seconds } = fixture()
    const others = Array.from({ length: 40 }, (_, n) => `former-${n}.example.com`)
    const keys = Array.from({ length: 16 }, (_, n) => keyOf(`anotherKeyOfMany${n}`))
    Object.assign(state, { mayLook: true, hosts: [HOST, ...others], keys: [...keys, keyOf(KEY)] })
    const signature = sign('former-39.example.com', String(seconds()), KEY)
    const waiting = post({ signature })
    expect(looks).toHaveLength(1)
    looks[0]?.resolve()
    expect(await waiting).toBe('accepted')
    expect(await post({ signature, text: '{}' })).toBe('accepted')
    expect(looks).toHaveLength(1)
  })

  test('64 wait, all others are refused at once; then there is room again', async () => {
    const { post, state, looks } = fixture()
    state.mayLook = true
    const waiting = Array.from({ length: 64 }, () => post({ key: FRESH }))
    expect(await post({ key: FRESH })).toBe('bad_signature')
    expect(looks).toHaveLength(64)
    for (const look of looks) look.resolve()
    expect(new Set(await Promise.all(waiting))).toEqual(new Set(['bad_signature']))
    const again = post({ key: FRESH })
    expect(looks).toHaveLength(65)
    looks[64]?.resolve()
    expect(await again).toBe('bad_signature')
  })

  test('is not asked for by what is stale', async () => {
    const { post, state, looks, seconds } = fixture()
    state.mayLook = true
    await post({ key: FRESH, at: seconds() - 1_000 })
    expect(looks).toHaveLength(0)
  })
})
