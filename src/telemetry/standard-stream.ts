// Standard output and standard error, written so that nothing on their other side holds the process
// up: a terminal that is paused, a pipe that nobody reads, a disk that is full. Node writes to files
// and terminals synchronously, and takes a part of a text for the whole of it.
import { closeSync, constants, fstatSync, openSync, readSync, write, writeSync } from 'node:fs'

/** How long to wait before a terminal that is paused is tried again. */
const TERMINAL_RETRY_MS = 25
const NEWLINE = 0x0a

type Done = (error?: Error | null) => void

export interface StandardStream {
  /** Writes whole lines; `done` is called when the system has them all, or with what went wrong. */
  write(text: string, done: Done): void
  on(event: 'error', listener: (error: Error) => void): unknown
  /** Hands the system what it takes at once: for a process that is about to end. */
  flushSync(): void
}

/** The stream behind a standard stream of the process. */
export function openStandardStream(stream: NodeJS.WriteStream & { fd: number }): StandardStream {
  if (stream.isTTY) return openTerminal(stream)
  const { fd } = stream
  const found = fstatSync(fd)
  if (found.isFIFO() || found.isSocket()) return passOn(stream)
  return writeInTurn(writeToFile(fd), found.isFile() && isTorn(fd))
}

/** Node writes to pipes and sockets without waiting. */
function passOn(stream: NodeJS.WriteStream): StandardStream {
  return {
    write: (text, done) => void stream.write(text, done),
    on: (event, listener) => stream.on(event, listener),
    flushSync() {},
  }
}

/** Opened once more, so that not to wait holds for us alone, and not for the shell beside us. */
function openTerminal(stream: NodeJS.WriteStream & { fd: number }): StandardStream {
  const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants
  try {
    const fd = openSync(`/proc/self/fd/${stream.fd}`, O_WRONLY | O_NONBLOCK | O_NOCTTY)
    return writeInTurn(writeToTerminal(fd), false)
  } catch {
    return passOn(stream)
  }
}

export type Writer = {
  /** Writes some of `bytes`, at least one; `written` is called with how many, or with a fault. */
  write(bytes: Uint8Array, written: (error: Error | null, count: number) => void): void
  /** Writes at once; throws where that can't be done. Returns how many. */
  writeNow(bytes: Uint8Array): number
}

function writeToFile(fd: number): Writer {
  return {
    write: (bytes, written) => write(fd, bytes, 0, bytes.byteLength, null, written),
    writeNow: (bytes) => writeSync(fd, bytes),
  }
}

function writeToTerminal(fd: number): Writer {
  const writer: Writer = {
    write(bytes, written) {
      try {
        written(null, writer.writeNow(bytes))
      } catch (error) {
        if (!isPaused(error)) return written(error as Error, 0)
        setTimeout(() => writer.write(bytes, written), TERMINAL_RETRY_MS)
      }
    },
    writeNow: (bytes) => writeSync(fd, bytes),
  }
  return writer
}

function isPaused(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EAGAIN'
}

/** One text after the other, each to its end. A line that was cut off is ended before the next one. */
export function writeInTurn({ write, writeNow }: Writer, isTornAtFirst: boolean): StandardStream {
  const waiting: { readonly bytes: Uint8Array; readonly done: Done }[] = []
  let isWriting = false
  let isTorn = isTornAtFirst

  function next(): void {
    const first = waiting.shift()
    if (first === undefined) return
    isWriting = true
    writeRest(isTorn ? Buffer.concat([Buffer.of(NEWLINE), first.bytes]) : first.bytes, first.done)
  }

  function writeRest(bytes: Uint8Array, done: Done): void {
    write(bytes, (error, count) => {
      if (count > 0) isTorn = bytes[count - 1] !== NEWLINE
      if (error === null && count < bytes.byteLength) return writeRest(bytes.subarray(count), done)
      isWriting = false
      // Another text may be waiting, and `done` may bring one more.
      done(error)
      if (!isWriting) next()
    })
  }

  return {
    write(text, done) {
      waiting.push({ bytes: Buffer.from(text), done })
      if (!isWriting) next()
    },
    on: () => undefined,
    flushSync() {
      try {
        for (const { bytes } of waiting.splice(0)) writeNow(bytes)
      } catch {
        // What the system does not take now is lost with the process.
      }
    },
  }
}

/** Whether a file ends in the middle of a line: another process may have been killed there. */
function isTorn(fd: number): boolean {
  try {
    const { size } = fstatSync(fd)
    const reading = openSync(`/proc/self/fd/${fd}`, constants.O_RDONLY)
    try {
      const last = new Uint8Array(1)
      return size > 0 && readSync(reading, last, 0, 1, size - 1) === 1 && last[0] !== NEWLINE
    } finally {
      closeSync(reading)
    }
  } catch {
    return false
  }
}
