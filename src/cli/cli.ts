// The command line: the list of commands, and what comes of them as an exit code. Each command is
// declared in a file of its own.
import { Command, CommanderError } from 'commander'
import { VERSION } from '../app/version.ts'
import { printableLines } from '../core/printable.ts'
import { describeBug, describeError, faultCode } from '../errors.ts'
import type { CliCommand } from './command.ts'
import { EXIT, type Shell } from './shell.ts'

/** As `--help` lists them. A new one is a file, and a line here. What is not asked for is not loaded. */
const COMMANDS: Readonly<Record<string, () => Promise<CliCommand>>> = {
  serve: async () => (await import('./run/serve.ts')).SERVE,
  plan: async () => (await import('./registration/plan.ts')).PLAN,
  register: async () => (await import('./registration/register.ts')).REGISTER,
  deregister: async () => (await import('./registration/deregister.ts')).DEREGISTER,
  rotate: async () => (await import('./registration/rotate.ts')).ROTATE,
  status: async () => (await import('./registration/status.ts')).STATUS,
  'dead-letters': async () => (await import('./events/dead-letters.ts')).DEAD_LETTERS,
  replay: async () => (await import('./events/replay.ts')).REPLAY,
  audit: async () => (await import('./audit/audit.ts')).AUDIT,
  backfill: async () => (await import('./audit/backfill.ts')).BACKFILL,
  events: async () => (await import('./events/events.ts')).EVENTS,
  streams: async () => (await import('./events/streams.ts')).STREAMS,
  'copy-store': async () => (await import('./run/copy-store.ts')).COPY_STORE,
  doctor: async () => (await import('./registration/doctor.ts')).DOCTOR,
  token: async () => (await import('./run/token.ts')).TOKEN,
  send: async () => (await import('./run/send.ts')).SEND,
  emulator: async () => (await import('./run/emulator.ts')).EMULATOR,
  demo: async () => (await import('./run/demo.ts')).DEMO,
}
const DEFAULT = 'serve'

/** Runs one command. `argv` without the program's own name. Returns the exit code; never rejects. */
export async function runCli(argv: readonly string[], given: Shell): Promise<number> {
  // Whatever a body or a provider said reaches a terminal as text only.
  const shell: Shell = {
    ...given,
    print: (text) => given.print(printableLines(text)),
    error: (text) => given.error(printableLines(text)),
  }
  let code: number = EXIT.done
  const program = createProgram(
    await loadCommands(argv[0] ?? DEFAULT),
    shell,
    (outcome) => {
      code = outcome
    },
    // An unknown command is not taken for an argument of the default one.
    argv[0] === undefined || argv[0].startsWith('-'),
  )
  try {
    await program.parseAsync(argv, { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage
    if (faultCode(error) === 'aborted' && shell.signal.aborted) return EXIT.done
    shell.error(`snaphook: ${describeError(error)}`)
    if (faultCode(error) === undefined) shell.error(describeBug(error).frames.join('\n'))
    return EXIT.failed
  }
}

/** The command of this name; all of them where none has it, for the help and for the nearest name. */
export function loadCommands(name?: string): Promise<readonly CliCommand[]> {
  const named = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  return Promise.all(
    (named === undefined ? Object.values(COMMANDS) : [named]).map((load) => load()),
  )
}

/** `commands` with their options; `done` is given the exit code of the one that ran. */
export function createProgram(
  commands: readonly CliCommand[],
  shell: Shell,
  done: (code: number) => void,
  hasDefault = true,
): Command {
  const program = new Command('snaphook')
    .description('Self-registering webhook for ApsaraVideo Live snapshot callbacks.')
    .version(VERSION)
    .showHelpAfterError('(add --help for the options)')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => shell.print(text.trimEnd()),
      writeErr: (text) => shell.error(text.trimEnd()),
    })
    .addHelpText(
      'after',
      '\nSettings are environment variables, SNAPHOOK_PUBLIC_URL and SNAPHOOK_DOMAINS first; docs/settings.md lists them.\nExit codes: 0 done, 1 failed, 2 differences, 64 usage, 78 configuration.',
    )
  for (const each of commands) each.addTo(program, shell, done, hasDefault)
  return program
}
