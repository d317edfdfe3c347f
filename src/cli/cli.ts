// The command line: the list of commands, and what comes of them as an exit code. Each command is
// declared in a file of its own.
import { Command, CommanderError } from 'commander'
import { VERSION } from '../app/service.ts'
import { printableLines } from '../core/printable.ts'
import { describeBug, describeError, faultCode } from '../errors.ts'
import { AUDIT } from './audit/audit.ts'
import { BACKFILL } from './audit/backfill.ts'
import type { CliCommand } from './command.ts'
import { DEAD_LETTERS } from './events/dead-letters.ts'
import { EVENTS } from './events/events.ts'
import { REPLAY } from './events/replay.ts'
import { STREAMS } from './events/streams.ts'
import { DEREGISTER } from './registration/deregister.ts'
import { DOCTOR } from './registration/doctor.ts'
import { PLAN } from './registration/plan.ts'
import { REGISTER } from './registration/register.ts'
import { ROTATE } from './registration/rotate.ts'
import { STATUS } from './registration/status.ts'
import { DEMO } from './run/demo.ts'
import { EMULATOR } from './run/emulator.ts'
import { SEND } from './run/send.ts'
import { SERVE } from './run/serve.ts'
import { TOKEN } from './run/token.ts'
import { EXIT, type Shell } from './shell.ts'

/** As `--help` lists them. A new one is a file, and a line here. */
const COMMANDS: readonly CliCommand[] = [
  SERVE,
  PLAN,
  REGISTER,
  DEREGISTER,
  ROTATE,
  STATUS,
  DEAD_LETTERS,
  REPLAY,
  AUDIT,
  BACKFILL,
  EVENTS,
  STREAMS,
  DOCTOR,
  TOKEN,
  SEND,
  EMULATOR,
  DEMO,
]

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

/** The commands with their options; `done` is given the exit code of the one that ran. */
export function createProgram(
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
  for (const each of COMMANDS) each.addTo(program, shell, done, hasDefault)
  return program
}
