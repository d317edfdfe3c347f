// The command line: names the commands, reads their options, and turns what comes of them into an
// exit code. What a command does stands in a file of its own.
import { Argument, Command, CommanderError, Option } from 'commander'
import { VERSION } from '../app/service.ts'
import { describeBug, describeError, faultCode } from '../errors.ts'
import { DEAD_LETTER_ACTIONS, runDeadLetters } from './events/dead-letters.ts'
import { runReplay } from './events/replay.ts'
import { runDeregister } from './registration/deregister.ts'
import { runDoctor } from './registration/doctor.ts'
import { runPlan } from './registration/plan.ts'
import { runRegister } from './registration/register.ts'
import { runRotate } from './registration/rotate.ts'
import { runStatus } from './registration/status.ts'
import { DEMO_STORE, runDemo } from './run/demo.ts'
import { runEmulator } from './run/emulator.ts'
import { runSend } from './run/send.ts'
import { runServe } from './run/serve.ts'
import { runToken } from './run/token.ts'
import { EXIT, type Shell } from './shell.ts'

/** Runs one command. `argv` without the program's own name. Returns the exit code; never rejects. */
export async function runCli(argv: readonly string[], shell: Shell): Promise<number> {
  let code: number = EXIT.done
  const program = createProgram(shell, (outcome) => {
    code = outcome
  })
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
export function createProgram(shell: Shell, done: (code: number) => void): Command {
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
  // Made by `command`, so that each inherits how errors and output are handled.
  const command = (name: string, description: string) =>
    program.command(name, { isDefault: name === 'serve' }).description(description)

  command('serve', 'receive callbacks and keep every domain registered (the default)').action(
    async () => done(await runServe(shell)),
  )
  command('plan', 'show what would change at the provider; exit 2 if something would')
    .option('--json', 'print JSON')
    .action(async (options) => done(await runPlan(shell, options)))
  command('register', 'register every domain once, verify it, and exit')
    .option('--timeout <duration>', 'give up on domains that have not settled by then', '60s')
    .option('--json', 'print JSON')
    .action(async (options) => done(await runRegister(shell, options)))
  command('deregister', 'delete the registrations that are ours; exit 1 if any domain is not')
    .option('--json', 'print JSON')
    .addHelpText(
      'after',
      '\nIt stays done for the replicas of this store. Others, with stores of their own, create it again: stop them first, or deregister on each.',
    )
    .action(async (options) => done(await runDeregister(shell, options)))
  command('rotate', 'replace the notify keys now; running pushes keep their old ones')
    .argument('[domains...]', 'the domains; all, if none is named')
    .option('--timeout <duration>', 'give up on domains that have not settled by then', '60s')
    .option('--json', 'print JSON')
    .action(async (domains, options) => done(await runRotate(shell, domains, options)))
  command('status', 'show what the store knows and what a running service says')
    .option('--json', 'print JSON')
    .action(async (options) => done(await runStatus(shell, options)))
  command('dead-letters', 'list events that a sink rejected or never got; retry them, or drop them')
    .addArgument(new Argument('<action>', 'what to do').choices(DEAD_LETTER_ACTIONS))
    .option('--sink <name>', 'those of one sink')
    .option('--seq <n...>', 'these alone, of that sink')
    .option('--all', 'of all sinks, for retry and drop')
    .option('--limit <n>', 'how many to list', '100')
    .option('--json', 'print JSON')
    .action(async (action, options) => done(await runDeadLetters(shell, action, options)))
  command('replay', 'have a sink get again what it has had by now, marked as such')
    .option('--sink <name>', 'the sink')
    .option('--since <time>', 'received then or later: a time, or 2h for two hours ago')
    .option('--until <time>', 'received before then')
    .option('--domain <domain>', 'of this streaming domain')
    .option('--stream <stream>', 'of this stream: APP/STREAM, or STREAM of any app')
    .option('--cancel <n>', 'call a replay off, by its number')
    .option('--json', 'print JSON')
    .action(async (options) => done(await runReplay(shell, options)))
  command('doctor', 'find what usually goes wrong, and say what to do; exit 1 on a problem')
    .option('--write', 'also try whether Update is allowed: puts back exactly what is there')
    .option('--json', 'print JSON')
    .action(async (options) => done(await runDoctor(shell, options)))
  command('token', 'print a bearer token for the operations API, signed with SNAPHOOK_API_SECRET')
    .option('--ttl <duration>', 'how long it is good', '1h')
    .action(async (options) => done(await runToken(shell, options)))
  command('send', 'post one signed callback to a URL; exit 1 unless it is answered 200')
    .requiredOption(
      '--url <url>',
      'the callback URL, such as http://127.0.0.1:8080/callbacks/DOMAIN',
    )
    .requiredOption('--key <key>', 'the notify key to sign with')
    .option('--timestamp <seconds>', 'Unix time to sign; now if not given')
    .option('--body <file>', 'the body, - for standard input; an invented one if not given')
    .action(async (options) => done(await runSend(shell, options)))
  command('emulator', 'run a local ApsaraVideo Live: API, streams, signed callbacks')
    .option('--listen <host:port>', 'where to listen', '127.0.0.1:8081')
    .option('--access-key-id <id>', 'the access key that its API takes', 'emulator')
    .option('--access-key-secret <secret>', 'the secret of that access key', 'emulator-secret')
    .addOption(
      new Option('--domain <domain...>', 'streaming domains; any, if none is named').default([]),
    )
    .option('--streams <n>', 'streams that are pushed from the start', '0')
    .option('--interval <duration>', 'time between the snapshots of a stream', '5s')
    .action(async (options) => done(await runEmulator(shell, options)))
  command('demo', 'emulator and service in one: three streams, a snapshot every two seconds')
    .option('--store <path>', 'where the demo keeps its store', DEMO_STORE)
    .action(async (options) => done(await runDemo(shell, options)))
  return program
}
