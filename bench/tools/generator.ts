// What loads a server in the bench: wrk where it is installed, else a client of our own. Either is a
// process of its own and costs less than what it loads.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { sign } from '../../src/core/keys/signature.ts'
import { DOMAIN } from './callback.ts'

/** What a generator prints, as JSON. */
export type Load = {
  readonly requests: number
  readonly seconds: number
  readonly p99Ms: number
  /** Answers that were not 2xx. */
  readonly refused: number
  readonly failed: number
}
export type Target = { readonly port: number; readonly key: string }

/** No signing within the load: a signature holds for the skew of five minutes, a run is shorter. */
const TIMESTAMP = String(Math.floor(Date.now() / 1000))
/** Each load begins behind all numbers of the one before, so that no callback comes twice. */
const NUMBERS_OF_A_LOAD = 10_000_000
let loads = 0

/** The name of the generator, for the report. */
export async function generatorName(): Promise<string> {
  return (await hasWrk()) ? 'wrk' : 'a client of our own, since wrk is not installed'
}

/** Loads a server over `connections` for `seconds`; throws if anything was not answered 2xx. */
export async function load(
  { port, key }: Target,
  connections: number,
  seconds: number,
): Promise<Load> {
  const first = ++loads * NUMBERS_OF_A_LOAD
  const signature = sign('127.0.0.1', TIMESTAMP, key)
  const callback = [`/callbacks/${DOMAIN}`, TIMESTAMP, signature, String(first), String(Date.now())]
  const result: Load = JSON.parse(
    (await hasWrk())
      ? await run('wrk', [
          ...['-t1', `-c${connections}`, `-d${seconds}s`, '-s', 'bench/tools/wrk.lua'],
          ...[`http://127.0.0.1:${port}`, '--', ...callback],
        ])
      : await run(process.execPath, [
          ...['bench/tools/closed-loop.ts', String(port), String(connections), String(seconds)],
          ...callback,
        ]),
  )
  if (result.refused > 0 || result.failed > 0) {
    throw new Error(`${result.refused} answers were not 2xx, ${result.failed} requests failed`)
  }
  return result
}

let found: Promise<boolean> | undefined
function hasWrk(): Promise<boolean> {
  found ??= once(spawn('wrk', ['-v'], { stdio: 'ignore' }), 'exit').then(
    () => true,
    () => false,
  )
  return found
}

/** The last line that a program prints. */
async function run(program: string, args: readonly string[]): Promise<string> {
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [printed] = await Promise.all([text(child.stdout), once(child, 'exit')])
  return printed.trimEnd().split('\n').at(-1) ?? ''
}
