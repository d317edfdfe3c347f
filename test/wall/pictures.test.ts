// The order of loads: one in flight a tile, the newest shot wins, and a bad bucket holds up only itself.
import { expect, test } from 'vitest'
import { createPictures } from '../../src/wall/logic/pictures.js'
import type { Shot } from '../../src/wall/types.d.ts'

function shot(seq: number, bucket = 'b'): Shot {
  return {
    id: `${seq}`,
    seq,
    bucket,
    endpoint: 'e',
    object: null,
    capturedAt: null,
    receivedAt: '',
  }
}

function setUp() {
  type Load = { key: string; seq: number; done(): void; fail(): void; signal: AbortSignal }
  const loads: Load[] = []
  const shown: string[] = []
  const failed: string[] = []
  const timers = new Map<number, { run: () => void; ms: number }>()
  let nextTimer = 0
  const pictures = createPictures({
    load: (key, { seq }, signal) =>
      new Promise<void>((resolve, reject) => {
        signal.addEventListener('abort', reject)
        loads.push({ key, seq, done: resolve, fail: reject, signal })
      }),
    shown: (key) => shown.push(key),
    failed: (key, { seq }, why) => failed.push(`${key} ${seq} ${why}`),
    schedule: (run, ms) => {
      nextTimer += 1
      timers.set(nextTimer, { run, ms })
      return nextTimer
    },
    cancel: (timer) => void timers.delete(timer as number),
  })
  /** Runs what was scheduled for so long. */
  const elapse = (ms: number) => {
    for (const [id, timer] of [...timers]) if (timer.ms === ms && timers.delete(id)) timer.run()
  }
  const asked = () => loads.map(({ key, seq }) => `${key} ${seq}`)
  return { pictures, loads, shown, failed, elapse, asked }
}

const settled = () => new Promise(setImmediate)

test('a tile has one load in flight, and the newest shot is the next', async () => {
  const { pictures, loads, shown, asked } = setUp()
  for (const seq of [1, 2, 3, 3, 2]) pictures.want('a', shot(seq))
  expect(asked()).toEqual(['a 1'])
  loads[0]?.done()
  await settled()
  expect(asked()).toEqual(['a 1', 'a 3'])
  loads[1]?.done()
  await settled()
  expect(shown).toEqual(['a', 'a'])
  pictures.want('a', shot(3))
  expect(loads).toHaveLength(2)
})

test('a bucket that hangs has six loads, and holds up no other', () => {
  const { pictures, asked } = setUp()
  for (let tile = 0; tile < 20; tile += 1) pictures.want(`slow-${tile}`, shot(1, 'slow'))
  expect(asked()).toHaveLength(6)
  pictures.want('other', shot(1, 'good'))
  expect(asked()).toContain('other 1')
})

test('a bucket that gives at once gives so many a beat, and the rest with the next ones', async () => {
  const { pictures, loads, shown } = setUp()
  for (let tile = 0; tile < 60; tile += 1) pictures.want(`${tile}`, shot(1))
  const giveAll = async () => {
    for (let given = -1; given !== loads.length; await settled()) {
      given = loads.length
      for (const load of loads) load.done()
    }
  }
  await giveAll()
  expect(shown).toHaveLength(24)
  pictures.beat()
  await giveAll()
  expect(shown).toHaveLength(48)
  pictures.beat()
  await giveAll()
  expect(shown).toHaveLength(60)
})

test('what is shown stays when it is out of view', async () => {
  const { pictures, loads } = setUp()
  pictures.want('a', shot(1))
  loads[0]?.done()
  await settled()
  pictures.drop('a')
  expect(loads[0]?.signal.aborted).toBe(false)
})

test('a load that takes too long is given up, and the newest shot is tried', async () => {
  const { pictures, failed, elapse, asked } = setUp()
  pictures.want('a', shot(1))
  pictures.want('a', shot(2))
  elapse(15_000)
  await settled()
  expect(failed).toEqual(['a 1 slow'])
  expect(asked()).toEqual(['a 1', 'a 2'])
})

test('a bucket that refuses is tried ever more seldom, one picture at a time, until it gives one', async () => {
  const { pictures, loads, elapse, shown } = setUp()
  for (let tile = 0; tile < 20; tile += 1) pictures.want(`${tile}`, shot(1))
  for (const load of loads) load.fail()
  await settled()
  // Those that had begun before the bucket was in trouble.
  for (const load of loads) load.fail()
  await settled()
  expect(pictures.isInTrouble()).toBe(true)
  const before = loads.length
  elapse(4_000)
  expect(loads).toHaveLength(before + 1)
  loads.at(-1)?.fail()
  await settled()
  elapse(4_000)
  expect(loads).toHaveLength(before + 1)
  elapse(8_000)
  expect(loads).toHaveLength(before + 2)
  loads.at(-1)?.done()
  await settled()
  expect(shown).toHaveLength(1)
  expect(pictures.isInTrouble()).toBe(false)
  expect(loads.length).toBeGreaterThan(before + 2)
})

test('a picture that failed is not asked for again with every look, but once it is forgiven', async () => {
  const { pictures, loads, asked } = setUp()
  pictures.want('a', shot(1))
  loads[0]?.fail()
  await settled()
  pictures.want('a', shot(1))
  expect(asked()).toEqual(['a 1'])
  pictures.forgive()
  pictures.want('a', shot(1))
  expect(asked()).toEqual(['a 1', 'a 1'])
})

test('out of view nothing is loaded, and back in view the same shot is', async () => {
  const { pictures, loads, failed, asked } = setUp()
  pictures.want('a', shot(1))
  pictures.drop('a')
  expect(loads[0]?.signal.aborted).toBe(true)
  pictures.want('a', shot(1))
  await settled()
  expect(asked()).toEqual(['a 1', 'a 1'])
  expect(failed).toEqual([])
  pictures.forget('a')
  await settled()
  expect(failed).toEqual([])
})
