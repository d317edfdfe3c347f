import { describe, expect, it } from 'vitest'
import { ServiceError } from '../../src/errors.ts'
import type { Write } from '../../src/store/sqlite/messages.ts'
import {
  createWriteQueue,
  type GroupAnswer,
  QUEUE_LIMITS,
  type QueueLimits,
  type WriteGroup,
} from '../../src/store/write-queue.ts'
import { eventOf, range } from '../support/store/store-events.ts'
import { until } from '../support/until.ts'

/** A queue in front of a writer that the test answers for. */
function newQueue(limits: Partial<QueueLimits> = {}) {
  const commits: { batch: WriteGroup<Write>; answer(): void; fail(fault: unknown): void }[] = []
  const queue = createWriteQueue<Write>(
    (batch) => {
      const { promise, resolve, reject } = Promise.withResolvers<GroupAnswer>()
      commits.push({ batch, answer: () => resolve(committedOf(batch)), fail: reject })
      return promise
    },
    { ...QUEUE_LIMITS, ...limits },
  )
  const next = async () => {
    await until('a commit', () => commits.length > 0)
    return commits.shift() as (typeof commits)[number]
  }
  return { queue, commits, next }
}

function committedOf({ events, writes }: WriteGroup<Write>): GroupAnswer {
  return {
    seqs: events.map(({ id }) => Number.parseInt(id, 16)),
    duplicates: events.map(() => false),
    writes: writes.map(() => null),
  }
}

describe('the write queue', () => {
  it('sends what came in one turn together, and all that waits with the next', async () => {
    const { queue, commits, next } = newQueue()
    const first = range(3).map((n) => queue.append(eventOf(n)))
    const { batch, answer } = await next()
    expect(batch.events).toHaveLength(3)
    const second = range(5).map((n) => queue.append(eventOf(10 + n)))
    const write = queue.write({ kind: 'receiving_time', seconds: 1 })
    await new Promise(setImmediate)
    expect(commits).toHaveLength(0)
    answer()
    expect(await Promise.all(first)).toEqual(range(3).map((seq) => ({ seq, duplicate: false })))
    const other = await next()
    expect(other.batch.events).toHaveLength(5)
    expect(other.batch.writes).toHaveLength(1)
    other.answer()
    await Promise.all([...second, write])
  })

  it('refuses events above its bound at once, and takes them when there is room', async () => {
    const { queue, next } = newQueue({ maxEvents: 2 })
    const taken = [queue.append(eventOf(1)), queue.append(eventOf(2))]
    await expect(queue.append(eventOf(3))).rejects.toMatchObject({ code: 'store_overloaded' })
    const { answer } = await next()
    await expect(queue.append(eventOf(3))).rejects.toMatchObject({ code: 'store_overloaded' })
    answer()
    await Promise.all(taken)
    const third = queue.append(eventOf(3))
    ;(await next()).answer()
    expect(await third).toEqual({ seq: 3, duplicate: false })
  })

  it('bounds the bytes as well', async () => {
    const { queue, next } = newQueue({ maxBytes: 100 })
    const taken = queue.append(eventOf(1, { body: new Uint8Array(80) }))
    const large = queue.append(eventOf(2, { body: new Uint8Array(21) }))
    await expect(large).rejects.toMatchObject({ code: 'store_overloaded' })
    const small = queue.append(eventOf(3, { body: new Uint8Array(20) }))
    ;(await next()).answer()
    await Promise.all([taken, small])
  })

  it('tells each append that it is slow when its own time is up', async () => {
    const { queue, next } = newQueue({ appendTimeoutMs: 300, maxEvents: 2 })
    const start = performance.now()
    const first = queue.append(eventOf(1))
    const { answer } = await next()
    const later = queue.append(eventOf(2))
    await expect(first).rejects.toMatchObject({ code: 'store_slow' })
    await expect(later).rejects.toMatchObject({ code: 'store_slow' })
    expect(performance.now() - start).toBeGreaterThan(290)
    // They hold their place until the writer answers.
    await expect(queue.append(eventOf(3))).rejects.toMatchObject({ code: 'store_overloaded' })
    answer()
    const second = await next()
    const after = queue.append(eventOf(4))
    second.answer()
    ;(await next()).answer()
    expect(await after).toEqual({ seq: 4, duplicate: false })
  })

  it('fails a group with the fault of its commit, and goes on', async () => {
    const { queue, next } = newQueue()
    const lost = [queue.append(eventOf(1)), queue.write({ kind: 'receiving_time', seconds: 1 })]
    ;(await next()).fail(new ServiceError('Gone.', { code: 'store_failed' }))
    const answers = await Promise.allSettled(lost)
    for (const answer of answers) expect(answer).toMatchObject({ reason: { code: 'store_failed' } })
    const kept = queue.append(eventOf(2))
    ;(await next()).answer()
    expect(await kept).toEqual({ seq: 2, duplicate: false })
  })

  it('gives each part of a group its own answer', async () => {
    const fault = { code: 'store_failed', message: 'No.' } as const
    const queue = createWriteQueue<Write>(async () => ({
      seqs: [1, fault, 1],
      duplicates: [false, false, true],
      writes: [fault, 5],
    }))
    const answers = await Promise.allSettled([
      ...range(3).map((n) => queue.append(eventOf(n))),
      queue.write({ kind: 'receiving_time', seconds: 1 }),
      queue.write({ kind: 'ring', domain: 'x', content: '{}', revision: 4 }),
    ])
    expect(answers).toMatchObject([
      { value: { seq: 1, duplicate: false } },
      { reason: { code: 'store_failed', message: 'No.' } },
      { value: { seq: 1, duplicate: true } },
      { reason: { code: 'store_failed' } },
      { value: 5 },
    ])
  })

  it('hands over bodies as they are, whatever they are views of', async () => {
    const { queue, next } = newQueue()
    const pool = new Uint8Array([9, 9, 1, 2, 3, 9])
    const appends = [
      queue.append(eventOf(1, { body: pool.subarray(2, 5) })),
      queue.append(eventOf(2, { body: pool.subarray(0, 0) })),
      queue.append(eventOf(3, { body: pool.subarray(0, 1) })),
    ]
    const { batch, answer } = await next()
    expect(batch.events.map(({ body }) => [...body])).toEqual([[1, 2, 3], [], [9]])
    answer()
    await Promise.all(appends)
  })

  it('closes when all that it took has its answer', async () => {
    const { queue, next } = newQueue()
    const append = queue.append(eventOf(1))
    let closed = false
    const closing = queue.close().then(() => {
      closed = true
    })
    const { answer } = await next()
    expect(closed).toBe(false)
    await expect(queue.append(eventOf(2))).rejects.toMatchObject({ code: 'store_failed' })
    const write = queue.write({ kind: 'receiving_time', seconds: 1 })
    await expect(write).rejects.toMatchObject({ code: 'store_failed' })
    answer()
    await Promise.all([append, closing])
  })
})
