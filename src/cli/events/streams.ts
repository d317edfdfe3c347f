// `streams`: the latest shot of each stream, and whether it is live.
import { showStreams } from '../../admin/events.ts'
import { showDuration } from '../../core/duration.ts'
import { STREAM_STATES, streamState } from '../../core/events/stream-state.ts'
import { printableJson } from '../../core/printable.ts'
import type { StreamSummary } from '../../ports/reading.ts'
import { command } from '../command.ts'
import { choice } from '../options.ts'
import { EXIT, type Shell, table, wholeNumber, withConfig } from '../shell.ts'

type Options = {
  readonly domain?: string
  readonly app?: string
  readonly state?: string
  readonly q?: string
  readonly order: string
  readonly limit: string
  readonly json?: true
}

const HEADING = ['DOMAIN', 'STREAM', 'STATE', 'LAST SHOT', 'EVERY', 'EVENTS', 'OBJECT']

export const STREAMS = command({
  name: 'streams',
  description: 'show the latest shot of each stream, and whether it is live',
  define: (streams) =>
    streams
      .option('--domain <domain>', 'of this streaming domain')
      .option('--app <app>', 'of this app')
      .option('--state <state>', 'live, late or silent')
      .option('--q <text>', 'with this part in APP/STREAM')
      .option('--order <order>', 'recent, name or stalest', 'recent')
      .option('--limit <n>', 'how many', '100')
      .option('--json', 'print one stream a line'),
  run: runStreams,
})

function runStreams(shell: Shell, options: Options): Promise<number> {
  const now = (shell.overrides?.clock?.now ?? Date.now)()
  const query = {
    domain: options.domain?.toLowerCase() ?? null,
    app: options.app ?? null,
    state: choice(shell, '--state', options.state, STREAM_STATES),
    q: options.q ?? null,
    order: choice(shell, '--order', options.order, ['recent', 'name', 'stalest']) ?? 'recent',
    limit: wholeNumber(shell, '--limit', options.limit),
    now,
  }
  return withConfig(shell, async (config, overrides) => {
    const streams: StreamSummary[] = []
    if (!(await showStreams(config, overrides, query, (stream) => streams.push(stream)))) {
      shell.error(`snaphook: there is no store at ${config.storePath} yet`)
      return EXIT.failed
    }
    if (options.json) for (const each of streams) shell.print(printableJson(shown(each, now)))
    else
      shell.print(
        table(
          HEADING,
          streams.map((each) => row(each, now)),
        ),
      )
    return EXIT.done
  })
}

function row(stream: StreamSummary, now: number): string[] {
  const { domain, app, stream: name, latest, intervalMs, seenAt, events } = stream
  return [
    domain,
    `${app ?? '-'}/${name ?? '-'}`,
    streamState(now - seenAt, intervalMs),
    `${showDuration(Math.max(0, now - seenAt))} ago`,
    intervalMs === null ? '-' : `${Math.round(intervalMs / 100) / 10}s`,
    String(events),
    latest.object ?? '-',
  ]
}

/** As `/v1/streams` has it. */
function shown({ seenAt, intervalMs, firstSeenAt, latest, ...rest }: StreamSummary, now: number) {
  const { capturedAt, receivedAt, ...where } = latest
  return {
    ...rest,
    latest: {
      ...where,
      capturedAt: capturedAt === null ? null : new Date(capturedAt).toISOString(),
      receivedAt: new Date(receivedAt).toISOString(),
    },
    firstSeenAt: new Date(firstSeenAt).toISOString(),
    intervalSeconds: intervalMs === null ? null : intervalMs / 1_000,
    state: streamState(now - seenAt, intervalMs),
  }
}
