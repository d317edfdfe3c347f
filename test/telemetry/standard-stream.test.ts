import { appendFileSync, closeSync, openSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import {
  openStandardStream,
  type StandardStream,
  type Writer,
  writeInTurn,
} from '../../src/telemetry/standard-stream.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'

/** A file as the process has one for standard output: opened by somebody else. */
function openFile(path: string): StandardStream {
  const fd = openSync(path, 'a')
  onTestFinished(() => closeSync(fd))
  return openStandardStream({ fd, isTTY: false } as unknown as NodeJS.WriteStream & { fd: number })
}

/** Resolves with the fault of a write, or with null. */
function faultOf(stream: StandardStream, text: string): Promise<string | null> {
  return new Promise((resolve) => {
    stream.write(text, (error) => resolve((error as NodeJS.ErrnoException | null)?.code ?? null))
  })
}

test('a file: texts one after the other, each whole', async () => {
  const path = join(temporaryFolder(), 'out')
  const stream = openFile(path)
  const texts = ['a\n', 'b\n', `${'c'.repeat(300_000)}\n`]
  const faults = await Promise.all(texts.map((text) => faultOf(stream, text)))
  expect(faults).toEqual([null, null, null])
  expect(readFileSync(path, 'utf8')).toBe(texts.join(''))
})

test('a file that ends within a line, since its writer was killed: that is ended first', async () => {
  const path = join(temporaryFolder(), 'out')
  writeFileSync(path, 'whole\n{"torn":')
  await faultOf(openFile(path), 'next\n')
  appendFileSync(path, 'other\n')
  await faultOf(openFile(path), 'last\n')
  expect(readFileSync(path, 'utf8')).toBe('whole\n{"torn":\nnext\nother\nlast\n')
})

test('a full device: a fault each time, and nothing is thrown', async () => {
  const stream = openFile('/dev/full')
  expect(await faultOf(stream, 'a\n')).toBe('ENOSPC')
  expect(await faultOf(stream, 'b\n')).toBe('ENOSPC')
  stream.flushSync()
})

/** Takes so many bytes in all, as a disk that fills up. */
function diskOf(room: number) {
  let text = ''
  const write: Writer['write'] = (bytes, written) => {
    const count = Math.min(disk.room, bytes.byteLength)
    disk.room -= count
    text += Buffer.from(bytes.subarray(0, count)).toString()
    if (count > 0) written(null, count)
    else written(Object.assign(new Error('full'), { code: 'ENOSPC' }), 0)
  }
  const disk = { room, text: () => text, writer: { write, writeNow: () => 0 } }
  return disk
}

test('a disk that fills up within a line: a fault, and the line is ended before the next', async () => {
  const disk = diskOf(7)
  const stream = writeInTurn(disk.writer, false)
  const batch = 'one\ntwotwo\n'
  expect(await Promise.all([faultOf(stream, batch), faultOf(stream, 'three\n')])).toEqual([
    'ENOSPC',
    'ENOSPC',
  ])
  disk.room = 100
  expect(await faultOf(stream, batch)).toBeNull()
  expect(disk.text()).toBe('one\ntwo\none\ntwotwo\n')
})
