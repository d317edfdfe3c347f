// The one connection that what goes to a server shares.
import { expect, test } from 'vitest'
import { createLink } from '../../../src/sinks/connection/link.ts'

const never = new AbortController().signal

function linkOf(limitMs = 5_000) {
  const ended: number[] = []
  let opened = 0
  let lose = (): void => undefined
  const link = createLink<number>({
    async open(lost) {
      lose = lost
      opened += 1
      return opened
    },
    end: (connection) => ended.push(connection),
    limitMs,
  })
  return { link, ended, lose: () => lose() }
}

test('a failure gives the connection up, but ends no work that is under way beside it', async () => {
  const { link, ended } = linkOf()
  const answer = Promise.withResolvers<string>()
  const beside = link.use(() => answer.promise, never)
  const refused = link.use(() => Promise.reject(new Error('too large')), never)
  await expect(refused).rejects.toThrow('too large')
  expect(ended).toEqual([])
  expect(await link.use(async (connection) => connection, never)).toBe(2)
  answer.resolve('delivered')
  expect(await beside).toBe('delivered')
  await link.close()
  expect(ended).toEqual([1, 2])
})

test.each([
  ['lost', (lose: () => void) => lose()],
  ['hanging', () => undefined],
])('a connection that is %s is ended at once, whoever is at work on it', async (_how, happen) => {
  const { link, ended, lose } = linkOf(20)
  const beside = link.use(() => new Promise(() => undefined), never)
  happen(lose)
  await expect(beside).rejects.toThrow('no answer within')
  expect(ended).toContain(1)
  expect(await link.use(async (connection) => connection, never)).toBe(2)
  await link.close()
  expect(ended.at(-1)).toBe(2)
})
