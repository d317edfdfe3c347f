import { expect, test } from 'vitest'
import { ServiceError } from '../../../src/errors.ts'
import { shareReads } from '../../../src/flows/deliver/shared-reads.ts'
import { memoryStore } from '../../support/store/memory-store.ts'
import { eventOf, range } from '../../support/store/store-events.ts'

async function logOf(count: number) {
  const store = memoryStore()
  const asked: number[] = []
  const { read } = store
  store.read = (after, limit, maxBytes) => {
    asked.push(after)
    return read(after, limit, maxBytes)
  }
  for (const n of range(count)) await store.append(eventOf(n))
  return { store, asked, reads: shareReads(store) }
}

test('those that ask for the same events at the same moment have them from one read', async () => {
  const { reads, asked } = await logOf(3)
  const found = await Promise.all([reads.read(0, 100), reads.read(0, 100), reads.read(0, 100)])
  expect(asked).toEqual([0])
  expect(found.map((events) => events.map(({ seq }) => seq))).toEqual(Array(3).fill([1, 2, 3]))
})

test('a log that has grown is read again, and so is another part of it', async () => {
  const { store, reads, asked } = await logOf(1)
  await reads.read(0, 100)
  await store.append(eventOf(7))
  reads.forget()
  expect(await reads.read(0, 100)).toHaveLength(2)
  await reads.read(1, 100)
  await reads.read(1, 1)
  expect(asked).toEqual([0, 0, 1, 1])
})

test('a read that failed is not kept', async () => {
  const { store, reads } = await logOf(2)
  store.fail = 'store_slow'
  await expect(reads.read(0, 100)).rejects.toThrow(ServiceError)
  store.fail = undefined
  expect(await reads.read(0, 100)).toHaveLength(2)
})
