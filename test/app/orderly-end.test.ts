import { expect, test } from 'vitest'
import { createOrderlyEnd } from '../../src/app/orderly-end.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'
import { manualClock } from '../support/flows/manual-clock.ts'

function fixture() {
  const log = keptLog()
  const clock = manualClock()
  return { log, clock, end: createOrderlyEnd({ clock, log }) }
}

test('what was added last is stopped first, each when the one before has ended, and once', async () => {
  const { end, log } = fixture()
  const told: string[] = []
  const first = Promise.withResolvers<void>()
  end.add(() => told.push('store'))
  end.add(async () => {
    told.push('listener')
    await first.promise
    told.push('listener closed')
  })
  const stopped = end.stop()
  expect(told).toEqual(['listener'])
  first.resolve()
  await Promise.all([stopped, end.stop()])
  expect(told).toEqual(['listener', 'listener closed', 'store'])
  expect(log.lines).toEqual([])
})

test('one that fails is logged, and the others are stopped all the same', async () => {
  const { end, log } = fixture()
  let isStopped = false
  end.add(() => {
    isStopped = true
  })
  end.add(() => {
    throw new TypeError('a bug')
  })
  await end.stop()
  expect(isStopped).toBe(true)
  expect(log.story()).toEqual(['stopping one part of the service failed'])
})

test('one that hangs is left behind in time', async () => {
  const { end, log, clock } = fixture()
  let isEnded = false
  end.add(() => new Promise(() => undefined))
  const stopped = end.stop().then(() => {
    isEnded = true
  })
  await clock.advance(4_400)
  expect(isEnded).toBe(false)
  await clock.advance(200)
  await stopped
  expect(log.story()).toEqual(['stopped without waiting for all parts'])
})
