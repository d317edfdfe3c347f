import { Writable } from 'node:stream'
import { expect, test } from 'vitest'
import { createSinks } from '../../src/sinks/create-sinks.ts'
import type { Output } from '../../src/sinks/sink-kind.ts'

const event = (seq: number) => ({
  id: `id-${seq}`,
  domain: 'play.example.com',
  origin: 'callback' as const,
  receivedAt: 0,
  occurredAt: 0,
  body: new TextEncoder().encode('{"text":"two\\nlines"}'),
  seq,
})
const world = { webhookSecrets: [], now: () => 0 }
const never = new AbortController().signal

function sinkOn(write: (text: string, done: (error?: Error) => void) => void) {
  const output = new Writable({
    decodeStrings: false,
    write: (chunk: string, _encoding, done) => write(chunk, done),
  })
  const [sink] = createSinks([{ name: 'stdout', url: 'stdout:' }], {
    ...world,
    stdout: output as unknown as Output,
  })
  if (sink === undefined) throw new Error('no sink')
  return sink
}

test('writes one event a line, and is done when the system has it', async () => {
  const texts: string[] = []
  const sink = sinkOn((text, done) => {
    texts.push(text)
    done()
  })
  expect(await sink.deliver([event(1), event(2)], never)).toEqual({ kind: 'delivered' })
  const lines = texts.join('').split('\n')
  expect(lines).toHaveLength(3)
  expect(lines.slice(0, 2).map((line) => JSON.parse(line).data.seq)).toEqual([1, 2])
  await sink.close()
})

test('a closed pipe fails the delivery, not the process', async () => {
  const sink = sinkOn((_, done) => done(new Error('EPIPE')))
  expect(await sink.deliver([event(1)], never)).toEqual({
    kind: 'failed',
    reason: 'standard output is closed',
  })
})

test('a reader that is slow is given up when stopping', async () => {
  const sink = sinkOn(() => undefined)
  const stop = new AbortController()
  const delivery = sink.deliver([event(1)], stop.signal)
  stop.abort()
  expect(await delivery).toMatchObject({ kind: 'failed' })
  expect(await sink.deliver([event(1)], stop.signal)).toMatchObject({ kind: 'failed' })
})

test('a scheme without a sink is a mistake of ours', () => {
  expect(() =>
    createSinks([{ name: 'x', url: 'ftp://x' }], {
      ...world,
      stdout: {} as Output,
    }),
  ).toThrow(TypeError)
})
