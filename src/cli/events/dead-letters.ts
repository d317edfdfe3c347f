// `dead-letters`: shows what sinks have rejected, has it tried again, or drops it.

import { Argument } from 'commander'
import { changeDeadLetters, listDeadLetters } from '../../admin/dead-letters.ts'
import { toCloudEvent } from '../../core/events/snapshot-event.ts'
import { printableJson } from '../../core/printable.ts'
import type { DeadLetter } from '../../ports/dead-letters.ts'
import type { ExpiredRange } from '../../ports/retention.ts'
import { command } from '../command.ts'
import {
  EXIT,
  failWithoutStore,
  refuseOption,
  type Shell,
  table,
  wholeNumber,
  withConfig,
} from '../shell.ts'

const ACTIONS = ['list', 'retry', 'drop'] as const

type Options = {
  readonly sink?: string
  readonly seq?: readonly string[]
  readonly all?: true
  readonly limit: string
  readonly json?: true
}

export const DEAD_LETTERS = command({
  name: 'dead-letters',
  description: 'list events that a sink rejected or never got; retry them, or drop them',
  define: (deadLetters) =>
    deadLetters
      .addArgument(new Argument('<action>', 'what to do').choices(ACTIONS))
      .option('--sink <name>', 'those of one sink')
      .option('--seq <n...>', 'these alone, of that sink')
      .option('--all', 'of all sinks, for retry and drop')
      .option('--limit <n>', 'how many to list', '100')
      .option('--json', 'print JSON'),
  run: runDeadLetters,
})

function runDeadLetters(
  shell: Shell,
  { sink: named, seq, all, limit, json }: Options,
  action: (typeof ACTIONS)[number],
): Promise<number> {
  const sink = named ?? null
  const seqs = seq?.map((given) => wholeNumber(shell, '--seq', given)) ?? null
  const count = wholeNumber(shell, '--limit', limit)
  if (action === 'list' && (seqs !== null || all)) {
    throw refuseOption(
      shell,
      '--sink',
      'the only choice for list: --seq and --all are for retry and drop',
    )
  }
  if (seqs !== null && sink === null) throw refuseOption(shell, '--seq', 'given with --sink')
  if (action !== 'list' && (sink === null) === (all === undefined)) {
    throw refuseOption(shell, '--sink', 'given, or else --all')
  }
  return withConfig(shell, async (config, overrides) => {
    if (action === 'list') {
      const found = await listDeadLetters(config, overrides, sink, count)
      if (found === null) return failWithoutStore(shell, config)
      const { letters, total, expired } = found
      const ranges = expired.map(({ expiredAt, ...range }) => ({
        ...range,
        expiredAt: new Date(expiredAt).toISOString(),
      }))
      if (json) shell.print(printableJson({ total, letters: letters.map(shown), ranges }, 2))
      else shell.print([listed(letters, total), ...listedRanges(expired)].join('\n'))
      return EXIT.done
    }
    const isKnown = config.sinks.some(({ name }) => name === sink)
    if (action === 'retry' && sink !== null && !isKnown) {
      shell.error(`snaphook: no sink ${sink} is in the settings: they wait until it is put back`)
    }
    const kind = action === 'retry' ? 'request_retry' : 'drop'
    const changed = await changeDeadLetters(config, overrides, { kind, sink, seqs })
    if (changed === null) return failWithoutStore(shell, config)
    if (json) shell.print(printableJson({ [action]: changed }))
    else if (changed === 0) shell.print(`nothing to ${action}: there is no such dead letter`)
    else if (action === 'drop') shell.print(`${changed} dropped`)
    else shell.print(`${changed} to be tried again: by the running service, or once it runs`)
    return EXIT.done
  })
}

function shown({ sink, event, diedAt, ...rest }: DeadLetter) {
  const died = new Date(diedAt).toISOString()
  return { sink, seq: event.seq, diedAt: died, ...rest, event: toCloudEvent(event) }
}

function listed(letters: readonly DeadLetter[], total: number): string {
  if (total === 0) return 'no dead letters'
  const rows = letters.map(({ sink, event, diedAt, attempts, retryRequested, reason }) => [
    sink,
    String(event.seq),
    new Date(diedAt).toISOString(),
    event.domain,
    String(attempts),
    retryRequested ? `${reason}; to be tried again` : reason,
  ])
  const heading = ['SINK', 'SEQ', 'DIED', 'DOMAIN', 'ATTEMPTS', 'REASON']
  return [table(heading, rows), '', `${letters.length} of ${total}`].join('\n')
}

/** What is gone for good: there is no copy that could be tried again. */
function listedRanges(expired: readonly ExpiredRange[]): string[] {
  if (expired.length === 0) return []
  const rows = expired.map(({ sink, reason, fromSeq, toSeq, count, expiredAt }) => [
    sink,
    `${fromSeq} to ${toSeq}`,
    String(count),
    new Date(expiredAt).toISOString(),
    reason,
  ])
  return ['', table(['SINK', 'GONE', 'EVENTS', 'SINCE', 'REASON'], rows)]
}
