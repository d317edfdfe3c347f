// `replay`: has a sink get again what it got before, by the running service.

import { cancelReplay, requestReplay } from '../../admin/replays.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { timeOption } from '../options.ts'
import {
  EXIT,
  failWithoutStore,
  refuseOption,
  type Shell,
  wholeNumber,
  withConfig,
} from '../shell.ts'

type Options = {
  readonly sink?: string
  readonly since?: string
  readonly until?: string
  readonly domain?: string
  readonly stream?: string
  readonly cancel?: string
  readonly json?: true
}

export const REPLAY = command({
  name: 'replay',
  description: 'have a sink get again what it has had by now, marked as such',
  define: (replay) =>
    replay
      .option('--sink <name>', 'the sink')
      .option('--since <time>', 'received then or later: a time, or 2h for two hours ago')
      .option('--until <time>', 'received before then')
      .option('--domain <domain>', 'of this streaming domain')
      .option('--stream <stream>', 'of this stream: APP/STREAM, or STREAM of any app')
      .option('--cancel <n>', 'call a replay off, by its number')
      .option('--json', 'print JSON'),
  run: runReplay,
})

function runReplay(shell: Shell, options: Options): Promise<number> {
  const { sink, stream = null, cancel, json } = options
  // As the settings have it.
  const domain = options.domain?.toLowerCase() ?? null
  if ((sink === undefined) === (cancel === undefined)) {
    throw refuseOption(shell, '--sink', 'given, or else --cancel')
  }
  const number = cancel === undefined ? null : wholeNumber(shell, '--cancel', cancel)
  const since = timeOption(shell, '--since', options.since)
  const until = timeOption(shell, '--until', options.until)
  if (since !== null && until !== null && since >= until) {
    throw refuseOption(shell, '--until', 'later than --since')
  }
  return withConfig(shell, async (config, overrides) => {
    if (sink === undefined) {
      const cancelled = await cancelReplay(config, overrides, number as number)
      if (json) shell.print(printableJson({ cancelled }))
      else
        shell.print(cancelled ? `replay ${number} is called off` : `no replay ${number} under way`)
      return cancelled ? EXIT.done : EXIT.failed
    }
    const known = config.sinks.map(({ name }) => name)
    if (!known.includes(sink)) {
      throw refuseOption(
        shell,
        '--sink',
        `one of the settings (${known.join(', ')}), not "${sink}"`,
      )
    }
    if (domain !== null && !config.domains.includes(domain)) {
      shell.error(`snaphook: ${domain} is not in the settings; a replay is asked for all the same`)
    }
    const replay = await requestReplay(config, overrides, { sink, since, until, domain, stream })
    if (replay === null) return failWithoutStore(shell, config)
    if (json) shell.print(printableJson({ replay }))
    else shell.print(`replay ${replay}: by the running service, or once it runs; see status`)
    return EXIT.done
  })
}
