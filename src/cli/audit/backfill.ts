// `backfill`: has what was missed filled in, by the running service.
import { cancelBackfill, requestBackfills } from '../../admin/backfills.ts'
import { command } from '../command.ts'
import { isServiceHere } from '../running-service.ts'
import { EXIT, type Shell, wholeNumber, withConfig } from '../shell.ts'
import { domainsOption, type RangeOptions, rangeOption } from './range.ts'

type Options = RangeOptions & {
  readonly domain?: string
  readonly stream?: string
  readonly cancel?: string
  readonly json?: true
}

const DEFAULT_RANGE_MS = 24 * 3_600_000

export const BACKFILL = command({
  name: 'backfill',
  description:
    'have shots that are listed and not here filled in, also from before the first start',
  define: (backfill) =>
    backfill
      .option('--domain <domain>', 'of this streaming domain')
      .option('--stream <stream>', 'of this stream: APP/STREAM, or STREAM of any app')
      .option('--since <time>', 'taken then or later: a time, or 2h for two hours ago (24h)')
      .option('--until <time>', 'taken before then (five minutes ago)')
      .option('--cancel <n>', 'call a backfill off, by its number')
      .option('--json', 'print JSON'),
  run: runBackfill,
})

function runBackfill(shell: Shell, options: Options): Promise<number> {
  const { stream = null, cancel, json } = options
  const number = cancel === undefined ? null : wholeNumber(shell, '--cancel', cancel)
  const range = rangeOption(shell, options, DEFAULT_RANGE_MS)
  return withConfig(shell, async (config, overrides) => {
    if (number !== null) {
      const cancelled = await cancelBackfill(config, overrides, number)
      if (json) shell.print(JSON.stringify({ cancelled }))
      else
        shell.print(
          cancelled ? `backfill ${number} is called off` : `no backfill ${number} under way`,
        )
      return cancelled ? EXIT.done : EXIT.failed
    }
    const domains = domainsOption(shell, config, options.domain)
    const requests = domains.map((domain) => ({ domain, stream, ...range }))
    const backfills = await requestBackfills(config, overrides, requests)
    if (backfills === null) {
      shell.error('snaphook: there is no store yet; serve makes it')
      return EXIT.failed
    }
    const isRunning = await isServiceHere(config.opsListen)
    if (json) shell.print(JSON.stringify({ backfills, isRunning }))
    else {
      const when = isRunning ? 'by the running service' : 'it begins with the next start'
      for (const [row, id] of backfills.entries()) {
        shell.print(`backfill ${id}, ${domains[row]}: ${when}; see status`)
      }
    }
    return EXIT.done
  })
}
