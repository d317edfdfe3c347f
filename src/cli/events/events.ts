// `events`: what the log holds, now and back in time, and what comes.
import { followEvents, showEvents } from '../../admin/events.ts'
import { FLAGS } from '../../core/events/callback.ts'
import { type StoredEvent, toCloudEvent } from '../../core/events/snapshot-event.ts'
import { printable, printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { choice, timeOption } from '../options.ts'
import { EXIT, refuseOption, type Shell, wholeNumber, withConfig } from '../shell.ts'

type Options = {
  readonly domain?: string
  readonly app?: string
  readonly stream?: string
  readonly flag?: string
  readonly origin?: string
  readonly since?: string
  readonly until?: string
  readonly order: string
  readonly limit: string
  readonly follow?: true
  readonly json?: true
}

/** Wide enough for most; a longer value pushes the rest of its line to the right. */
const WIDTHS = [8, 24, 24, 24, 0] as const
const HEADING = ['SEQ', 'RECEIVED', 'DOMAIN', 'STREAM', 'OBJECT'] as const

export const EVENTS = command({
  name: 'events',
  description: 'show the events of the log, and follow what comes',
  define: (events) =>
    events
      .option('--domain <domain>', 'of this streaming domain')
      .option('--app <app>', 'of this app')
      .option('--stream <stream>', 'of this stream')
      .option('--flag <flag>', 'with this flag')
      .option('--origin <origin>', 'that came this way: callback or audit')
      .option('--since <time>', 'received then or later: a time, or 2h for two hours ago')
      .option('--until <time>', 'received before then')
      .option('--order <order>', 'desc: the newest first; asc: the oldest first', 'desc')
      .option('--limit <n>', 'how many', '20')
      .option('--follow', 'begin with the last ones, and go on with what comes')
      .option('--json', 'print one CloudEvent a line'),
  run: runEvents,
})

function runEvents(shell: Shell, options: Options): Promise<number> {
  const { json, follow } = options
  const limit = wholeNumber(shell, '--limit', options.limit)
  const order = choice(shell, '--order', options.order, ['desc', 'asc'])
  const filter = {
    domain: options.domain?.toLowerCase() ?? null,
    app: options.app ?? null,
    stream: options.stream ?? null,
    flag: choice(shell, '--flag', options.flag, FLAGS),
    origin: choice(shell, '--origin', options.origin, ['callback', 'audit']),
    since: timeOption(shell, '--since', options.since),
    until: timeOption(shell, '--until', options.until),
  }
  if (filter.since !== null && filter.until !== null && filter.since >= filter.until) {
    throw refuseOption(shell, '--until', 'later than --since')
  }
  const show = (event: StoredEvent) =>
    shell.print(json ? printableJson(toCloudEvent(event)) : row(event))
  return withConfig(shell, async (config, overrides) => {
    if (!json) shell.print(line(HEADING))
    const found = follow
      ? await followEvents(config, overrides, { filter, limit }, { show, signal: shell.signal })
      : await showEvents(config, overrides, { filter, order: order ?? 'desc', limit }, show)
    if (found) return EXIT.done
    shell.error(`snaphook: there is no store at ${config.storePath} yet`)
    return EXIT.failed
  })
}

function row(event: StoredEvent): string {
  const { seq, domain, app, stream, object, receivedAt, flags } = toCloudEvent(event).data
  const shown = [object ?? '-', ...(flags.length > 0 ? [`[${flags.join(', ')}]`] : [])].join(' ')
  return line([String(seq), receivedAt, domain, `${app ?? '-'}/${stream ?? '-'}`, shown])
}

function line(cells: readonly string[]): string {
  // A line of a table is one line, whatever a name holds.
  return cells
    .map((cell, column) => printable(cell).padEnd(WIDTHS[column] ?? 0))
    .join('  ')
    .trimEnd()
}
