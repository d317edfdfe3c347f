// What a command is: its name, its help, its options and what it runs. Each is declared in a file of
// its own; `cli.ts` has the list.
import type { Command } from 'commander'
import type { Shell } from './shell.ts'

type Declaration<Options extends object, Args extends readonly unknown[]> = {
  readonly name: string
  /** One line, without a full stop. */
  readonly description: string
  /** Runs where no command is named. */
  readonly isDefault?: true
  /** Adds options, arguments and further help. */
  define?(command: Command): unknown
  /** Returns the exit code. */
  run(shell: Shell, options: Options, ...args: Args): Promise<number>
}

export type CliCommand = {
  /** Adds the command to `program`; `done` is given its exit code. */
  addTo(program: Command, shell: Shell, done: (code: number) => void, hasDefault: boolean): void
}

/** `Options` and `Args` are what `define` makes of the command line. */
export function command<Options extends object = object, Args extends readonly unknown[] = []>(
  declared: Declaration<Options, Args>,
): CliCommand {
  const { name, description, isDefault = false, define, run } = declared
  return {
    addTo(program, shell, done, hasDefault) {
      // Made by `command`, so that it inherits how errors and output are handled.
      const made = program
        .command(name, { isDefault: isDefault && hasDefault })
        .description(description)
      define?.(made)
      made.action(async () => {
        done(await run(shell, made.opts(), ...(made.processedArgs as unknown as Args)))
      })
    },
  }
}
