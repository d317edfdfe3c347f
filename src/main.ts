#!/usr/bin/env node
// The process edge: arguments, environment, signals, standard streams, exit code. Nothing else in the
// project touches `process`.
import { readFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { buffer } from 'node:stream/consumers'
import { runCli } from './cli/cli.ts'
import { describeError } from './errors.ts'
import { createLog } from './telemetry/log.ts'

/** What a library may still hold open after the end (a call under way, a timer) is not waited for. */
const LINGER_MS = 300
const EXIT_BROKEN = 1

/** What we write, the store above all, is for our own user. */
const OWNER_ONLY = 0o077

process.umask(OWNER_ONLY)
const stopping = new AbortController()
const flushes: (() => void)[] = []

for (const signal of ['SIGTERM', 'SIGINT'] as const) {
  process.on(signal, () => {
    if (stopping.signal.aborted) process.exit(EXIT_BROKEN)
    stopping.abort()
  })
}
// A reader that has gone away, such as `head`, is the sink's business or nobody's.
process.stdout.on('error', () => undefined)
process.on('uncaughtException', (error) => {
  for (const flush of flushes) flush()
  process.stderr.write(`snaphook: unexpected error: ${describeError(error)}\n`)
  process.exit(EXIT_BROKEN)
})

process.exitCode = await runCli(process.argv.slice(2), {
  env: process.env,
  stdout: process.stdout,
  print: (text) => process.stdout.write(`${text}\n`),
  error: (text) => process.stderr.write(`${text}\n`),
  readStdin: () => buffer(process.stdin),
  readFile: (path) => readFileSync(path, 'utf8'),
  readBytes: (path) => readFile(path),
  createLog(level) {
    const { log, flush } = createLog(level)
    flushes.push(flush)
    return log
  },
  signal: stopping.signal,
})
for (const flush of flushes) flush()
setTimeout(() => process.exit(), LINGER_MS).unref()
