// The log keeps lines up to a limit while they are not taken, drops and counts them beyond it, and
// reports what it dropped as soon as lines are taken again.
import { expect, test } from 'vitest'
import { createLogOutput } from '../../src/telemetry/log-output.ts'

function fixture(maxWaitingBytes?: number) {
  const written: string[] = []
  const calls: ((error?: Error) => void)[] = []
  const output = createLogOutput(
    {
      write(text, done) {
        calls.push((error) => {
          if (!error) written.push(text)
          done(error)
        })
      },
      on() {},
      flushSync() {},
    },
    (count) => `dropped ${count}`,
    maxWaitingBytes,
  )
  const answer = (error?: Error) => calls.shift()?.(error)
  return { output, answer, calls, lines: () => written.join('').trimEnd().split('\n') }
}

test('writes what comes, in order, as much at once as has come meanwhile', () => {
  const { output, answer, calls, lines } = fixture()
  for (const line of ['a', 'b', 'c']) output.write(`${line}\n`)
  expect(calls).toHaveLength(1)
  answer()
  answer()
  expect(calls).toHaveLength(0)
  expect(lines()).toEqual(['a', 'b', 'c'])
})

test('while nobody reads: keeps what fits, and reports what did not when somebody does', () => {
  const { output, answer, calls, lines } = fixture(6)
  for (const line of ['a', 'b', 'c', 'd', 'e', 'f']) output.write(`${line}\n`)
  while (calls.length > 0) answer()
  expect(lines()).toEqual(['a', 'dropped 2', 'b', 'c', 'd'])
})

test('where writing fails: counts the lines, and reports them after the first that is written', () => {
  const { output, answer, calls, lines } = fixture()
  const full = new Error('ENOSPC')
  output.write('a\n')
  output.write('b\n')
  answer(full)
  answer(full)
  expect(calls).toHaveLength(0)
  output.write('c\n')
  answer()
  answer(full)
  output.write('d\n')
  answer()
  answer()
  expect(lines()).toEqual(['c', 'd', 'dropped 2'])
})

test('at the end of the process: all that waits is handed over at once', () => {
  const { output, calls } = fixture()
  for (const line of ['a', 'b', 'c']) output.write(`${line}\n`)
  output.flushSync()
  expect(calls).toHaveLength(2)
})
