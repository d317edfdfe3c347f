// What a command has of the process, passed in by `main.ts`, and the few things that all commands
// do alike: read the settings, print a table, say that an option is wrong.
import { CommanderError } from 'commander'
import type { Overrides } from '../app/overrides.ts'
import { useProxies } from '../app/proxy/proxy.ts'
import { type Config, readConfig } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { parseDuration } from '../core/duration.ts'
import { FOREIGN_GENERATION } from '../core/keys/key-ring.ts'
import { printable } from '../core/printable.ts'
import { storeName } from '../core/store-place.ts'

export const EXIT = { done: 0, failed: 1, differences: 2, usage: 64, configuration: 78 } as const

export type Shell = {
  readonly env: Environment
  readonly stdout: Overrides['stdout']
  /** One line, or several, on standard output. */
  print(text: string): void
  /** One line, or several, on standard error. */
  error(text: string): void
  readStdin(): Promise<Uint8Array>
  readFile(path: string): string
  readBytes(path: string): Promise<Uint8Array>
  createLog(level: Config['logLevel']): Overrides['log']
  /** Aborts on SIGTERM, SIGINT or SIGHUP. */
  readonly signal: AbortSignal
  /** Parts of the overrides to replace, for tests. */
  readonly overrides?: Partial<Overrides>
}

/**
 * Runs `act` with the settings, or prints all that is wrong with them. What a command prints says it
 * all: its log lines are for those who set a level.
 */
export async function withConfig(
  shell: Shell,
  act: (config: Config, overrides: Overrides) => Promise<number>,
  { isService = false } = {},
): Promise<number> {
  const config = readConfig(shell.env, shell.readFile)
  if (!config.ok) return refuseSettings(shell, config.problems)
  const { logLevel } = config.value
  const isAskedFor = isService || Boolean(shell.env.SNAPHOOK_LOG_LEVEL)
  const log = shell.createLog(isAskedFor ? logLevel : 'error')
  const restore = await useProxies(config.value)
  try {
    return await act(config.value, { log, stdout: shell.stdout, ...shell.overrides })
  } finally {
    restore()
  }
}

/** Prints what is wrong with the settings. Returns the exit code for it. */
export function refuseSettings(shell: Shell, problems: readonly string[]): number {
  const count = problems.length === 1 ? 'one problem' : `${problems.length} problems`
  shell.error(`snaphook: ${count} with the settings:`)
  for (const problem of problems) shell.error(`  ${problem}`)
  return EXIT.configuration
}

/** Says what an option must be, and ends the command with the exit code for usage. */
export function refuseOption(shell: Shell, option: string, expected: string): CommanderError {
  return refuseUsage(shell, `option ${option} must be ${expected}`)
}

/** Says what is wrong with a command line, and ends the command with the exit code for usage. */
export function refuseUsage(shell: Shell, problem: string): CommanderError {
  shell.error(`error: ${problem}`)
  return new CommanderError(EXIT.usage, 'snaphook.usage', problem)
}

/** Says that there is no store to look into. Returns the exit code for it. */
export function failWithoutStore(shell: Shell, { store }: Config): number {
  shell.error(`snaphook: there is no store at ${storeName(store)} yet: serve makes it`)
  return EXIT.failed
}

/** The milliseconds of an option such as `--ttl 1h`. */
export function durationOption(shell: Shell, option: string, given: string): number {
  const ms = parseDuration(given)
  if (ms !== undefined) return ms
  throw refuseOption(
    shell,
    option,
    `a duration of one second or more, such as 90s or 1h, not "${given}"`,
  )
}

/** The number of an option such as `--limit 20`. */
export function wholeNumber(shell: Shell, option: string, given: string): number {
  if (/^[1-9]\d{0,14}$/.test(given)) return Number(given)
  throw refuseOption(shell, option, `a whole number, not "${given}"`)
}

/** The generation of a notify key, in words where it has none or is not known. */
export function showGeneration(generation: number | null): string {
  if (generation === null) return 'unknown'
  return generation === FOREIGN_GENERATION ? 'foreign' : String(generation)
}

/** Rows with a heading, in columns as wide as their widest cell. */
export function table(heading: readonly string[], rows: readonly (readonly string[])[]): string {
  const all = [heading, ...rows].map((row) => row.map(printable))
  const widths = heading.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)))
  return all
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n')
}

/** Resolves when `signal` aborts. */
export async function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return
  const { promise, resolve } = Promise.withResolvers<void>()
  signal.addEventListener('abort', () => resolve(), { once: true })
  await promise
}
