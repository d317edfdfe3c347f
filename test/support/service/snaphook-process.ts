// The real command in a child process: its output by the line, its end, and the certainty that it is
// gone when the test is.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../../src/main.ts', import.meta.url))

/** Below the time-out of a test: one that hangs sees its processes end, and ends. */
const LIFETIME_MS = 45_000

export type SnaphookProcess = ReturnType<typeof startSnaphook>

/**
 * Runs `snaphook ARGS` with nothing but `env` in its environment. `wrapper` goes before it: a
 * program that runs another one, such as strace.
 */
export function startSnaphook(
  args: readonly string[],
  options: {
    env: Readonly<Record<string, string>>
    cwd: string
    input?: string | Uint8Array | undefined
    wrapper?: readonly string[]
    /** Another entry file than the real one. */
    main?: string
    /** When it is ended at the latest. */
    lifetimeMs?: number
  },
) {
  const startedAt = performance.now()
  const { wrapper = [], main = MAIN, lifetimeMs = LIFETIME_MS } = options
  const [program = '', ...rest] = [...wrapper, process.execPath, main, ...args]
  // A group of its own, so that its children go with it.
  const child = spawn(program, rest, { env: options.env, cwd: options.cwd, detached: true })
  const stdout = collect(child.stdout)
  const stderr = collect(child.stderr)
  const ended = once(child, 'close').then(([code, signal]): number | string => code ?? signal)
  child.stdin.on('error', () => {})
  child.stdin.end(options.input)

  /** Whether there was anybody to signal. */
  function signalGroup(signal: NodeJS.Signals | 0): boolean {
    try {
      return child.pid !== undefined && process.kill(-child.pid, signal)
    } catch {
      return false
    }
  }

  const lifetime = setTimeout(signalGroup, lifetimeMs, 'SIGKILL')
  child.once('close', () => clearTimeout(lifetime))

  return {
    startedAt,
    pid: child.pid,
    stdout,
    stderr,
    /** The exit code, or the name of the signal that ended it. */
    ended,
    /** `ended` waits for the output to be read as well; these two do not. */
    exitCode: () => child.exitCode,
    hasEnded: () => child.exitCode !== null || child.signalCode !== null,
    /** Whether neither it nor a child of it is left. */
    isGroupEmpty: () => !signalGroup(0),
    kill: (signal: NodeJS.Signals) => void signalGroup(signal),
    async [Symbol.asyncDispose](): Promise<void> {
      signalGroup('SIGKILL')
      child.stdout.resume()
      await ended
    },
  }
}

type Collected = {
  /** The complete lines so far. */
  readonly lines: readonly string[]
  /** Everything so far. */
  text(): string
  /** From now on nobody reads, as when a pipe's other end is stuck. */
  stall(): void
}

function collect(stream: NodeJS.ReadableStream): Collected {
  const lines: string[] = []
  let rest = ''
  stream.setEncoding('utf8')
  stream.on('data', (chunk: string) => {
    const parts = (rest + chunk).split('\n')
    rest = parts.pop() ?? ''
    lines.push(...parts)
  })
  return {
    lines,
    text: () => [...lines, rest].join('\n'),
    stall: () => void stream.pause(),
  }
}
