// `audit`: what the provider lists, what is here, and what was missed. It changes nothing.
import { type AuditResult, auditStore } from '../../admin/audit.ts'
import { printable, printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { EXIT, type Shell, table, withConfig } from '../shell.ts'
import { domainsOption, type RangeOptions, rangeOption } from './range.ts'

type Options = RangeOptions & { readonly domain?: string; readonly json?: true }

const DEFAULT_RANGE_MS = 3_600_000

export const AUDIT = command({
  name: 'audit',
  description: "compare the provider's list of shots with what is here; exit 2 if any is missed",
  define: (audit) =>
    audit
      .option('--domain <domain>', 'of this streaming domain')
      .option('--since <time>', 'taken then or later: a time, or 2h for two hours ago (1h)')
      .option('--until <time>', 'taken before then (five minutes ago)')
      .option('--json', 'print JSON'),
  run: runAudit,
})

function runAudit(shell: Shell, options: Options): Promise<number> {
  const range = rangeOption(shell, options, DEFAULT_RANGE_MS)
  return withConfig(shell, async (config, overrides) => {
    const domains = domainsOption(shell, config, options.domain)
    const result = await auditStore(config, overrides, { domains, range, signal: shell.signal })
    if (result === null) {
      shell.error('snaphook: there is no store yet; serve makes it')
      return EXIT.failed
    }
    shell.print(options.json ? printableJson(result, 2) : lines(result).join('\n'))
    if (result.notCompared.length > 0) return EXIT.failed
    return result.missed > 0 ? EXIT.differences : EXIT.done
  })
}

function lines({ from, until, streams, notCompared, listed, kept, missed }: AuditResult): string[] {
  const rows = streams.map((each) => [
    each.domain,
    printable(`${each.app}/${each.stream}`),
    ...[each.listed, each.kept, each.missed].map(String),
  ])
  const verdict =
    missed === 0 ? 'nothing is missed' : `${missed} missed: snaphook backfill fills them in`
  return [
    `from ${from} to ${until}: ${listed} listed, ${kept} kept; ${verdict}`,
    ...(rows.length === 0
      ? ['no stream ran']
      : ['', table(['DOMAIN', 'STREAM', 'LISTED', 'KEPT', 'MISSED'], rows)]),
    ...notCompared.map(
      (range) =>
        `not compared: ${range.domain} from ${range.from} to ${range.until}, where half of the bodies show no object or no stream`,
    ),
  ]
}
