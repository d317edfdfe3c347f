#!/usr/bin/env node
// The process edge: arguments, environment, signals, standard streams, exit code. Nothing else in the
// project touches `process`.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { runCli } from './cli/cli.ts'
import { describeBug } from './errors.ts'
import { createLog } from './telemetry/log.ts'
import { createLogOutput } from './telemetry/log-output.ts'
import { openStandardStream } from './telemetry/standard-stream.ts'

/** What a library may still hold open after the end (a call under way, a timer) is not waited for. */
const LINGER_MS = 300
/** A wrapper such as npm forwards a signal that the whole group got: both are one. */
const SIGNAL_MOMENT_MS = 500
const EXIT_BROKEN = 1
const READER_GONE = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

/** What we write, the store above all, is for our own user. */
const OWNER_ONLY = 0o077

process.umask(OWNER_ONLY)
const stopping = new AbortController()
let stoppingSince = 0
// A reader that has gone away, such as `head`, is the sink's business or nobody's.
process.stdout.on('error', () => undefined)
const stderr = openStandardStream(process.stderr)
const logOutput = createLogOutput(stderr, (count) => {
  const time = new Date().toISOString()
  const msg = 'log lines were dropped: standard error took no more of them'
  return JSON.stringify({ level: 'warn', time, count, msg })
})
const log = createLog('error', logOutput)

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
  process.on(signal, () => {
    const now = performance.now()
    if (!stopping.signal.aborted) stoppingSince = now
    else if (now - stoppingSince > SIGNAL_MOMENT_MS) process.exit(EXIT_BROKEN)
    stopping.abort()
  })
}
process.on('uncaughtException', (error) => {
  log.error('ended by a fault in the program: please report it', describeBug(error))
  logOutput.flushSync()
  process.exit(EXIT_BROKEN)
})

let printing = 0
let onPrinted = (): void => undefined
function print(text: string): void {
  printing += 1
  process.stdout.write(`${text}\n`, (error) => {
    printing -= 1
    if (error) failToPrint(error)
    if (printing === 0) onPrinted()
  })
}

/** Somebody counts on what a command prints; but whoever went away, such as `head`, has enough. */
let isUnprinted = false
function failToPrint(error: Error): void {
  const code = 'code' in error ? String(error.code) : 'no code'
  if (isUnprinted || READER_GONE.has(code)) return
  isUnprinted = true
  process.exitCode = EXIT_BROKEN
  logOutput.write(`snaphook: what it prints can't be written (${code})\n`)
}

function linger(): void {
  setTimeout(() => process.exit(), LINGER_MS).unref()
}

const exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: openStandardStream(process.stdout),
  print,
  error: (text) => logOutput.write(`${text}\n`),
  readStdin: () => buffer(process.stdin),
  readFile: (path) => readFileSync(path, 'utf8'),
  readBytes: (path) => readFile(path),
  createLog: (level) => createLog(level, logOutput),
  signal: stopping.signal,
})
process.exitCode = isUnprinted ? EXIT_BROKEN : exitCode
// Whoever reads a command's output may be slow; `serve` prints nothing, and ends in time.
if (printing === 0) linger()
else {
  onPrinted = linger
  stopping.signal.addEventListener('abort', linger)
}
