import { describe, expect, test } from 'vitest'
import { createPacer } from '../../src/cloud/pacer.ts'
import { manualClock } from '../support/flows/manual-clock.ts'

const never = new AbortController().signal

describe('createPacer', () => {
  async function times(
    pacer: ReturnType<typeof createPacer>,
    clock: ReturnType<typeof manualClock>,
    count: number,
  ) {
    const start = clock.now()
    const at: number[] = []
    const turns = Array.from({ length: count }, async () => {
      await pacer.turn(never)
      at.push(clock.now() - start)
    })
    await clock.advance(60_000)
    await Promise.all(turns)
    return at
  }

  test('ten calls per second; half as many after throttling; then faster again', async () => {
    const clock = manualClock()
    const pacer = createPacer(clock)
    expect(await times(pacer, clock, 4)).toEqual([0, 100, 200, 300])
    pacer.noteAnswer(true, clock.elapsed())
    expect(await times(pacer, clock, 3)).toEqual([0, 200, 400])
    for (let n = 0; n < 10; n++) {
      await clock.advance(1)
      pacer.noteAnswer(true, clock.elapsed())
    }
    expect(await times(pacer, clock, 3)).toEqual([0, 3_200, 6_400])
    for (let n = 0; n < 10; n++) {
      await clock.advance(5_000)
      pacer.noteAnswer(false, clock.elapsed())
    }
    expect(await times(pacer, clock, 3)).toEqual([0, 100, 200])
  })

  test('a burst that is throttled as one slows it down once, also for those who wait', async () => {
    const clock = manualClock()
    const pacer = createPacer(clock)
    const turn = await pacer.turn(never)
    const at: number[] = []
    const waiting = Array.from({ length: 3 }, async () => {
      await pacer.turn(never)
      at.push(clock.elapsed())
    })
    await clock.advance(50)
    for (let n = 0; n < 6; n++) pacer.noteAnswer(true, turn)
    await clock.advance(1_000)
    await Promise.all(waiting)
    expect(at).toEqual([100, 300, 500])
  })

  test('after a long wait it is asked whether the call is still to be made', async () => {
    const clock = manualClock()
    const pacer = createPacer(clock)
    for (let n = 0; n < 5; n++) {
      await clock.advance(1)
      pacer.noteAnswer(true, clock.elapsed())
    }
    const start = clock.elapsed()
    const asked: number[] = []
    const ask = (answer: boolean) => async () => {
      asked.push(clock.elapsed() - start)
      await clock.sleep(500, never)
      return answer
    }
    const turns = [true, true, false, true].map((answer) => pacer.turn(never, ask(answer)))
    const outcomes = Promise.allSettled(turns)
    await clock.advance(60_000)
    expect(asked).toEqual([3_200, 6_900, 10_100])
    expect(await outcomes).toMatchObject([
      { value: start },
      { value: start + 3_700 },
      { reason: { code: 'outdated' } },
      { value: start + 10_600 },
    ])
  })

  test('a wait ends with the signal', async () => {
    const clock = manualClock()
    const pacer = createPacer(clock)
    await pacer.turn(never)
    await expect(pacer.turn(AbortSignal.abort())).rejects.toMatchObject({ code: 'aborted' })
  })
})
