// The stretch of time and the domains that `audit` and `backfill` are about.
import type { Config } from '../../config/config.ts'
import type { Range } from '../../core/audit/ranges.ts'
import { MARGIN_MS, MAX_BACKFILL_MS } from '../../core/audit/windows.ts'
import { timeOption } from '../options.ts'
import { refuseOption, type Shell } from '../shell.ts'

export type RangeOptions = { readonly since?: string; readonly until?: string }

/** From `--since`, or `defaultMs` ago, to `--until`, or five minutes ago. */
export function rangeOption(
  shell: Shell,
  { since, until }: RangeOptions,
  defaultMs: number,
): Range {
  const now = (shell.overrides?.clock?.now ?? Date.now)()
  const to = timeOption(shell, '--until', until) ?? now - MARGIN_MS
  const from = timeOption(shell, '--since', since) ?? to - defaultMs
  if (from >= to) {
    const margin = 'the last five minutes are left out unless --until is given'
    throw refuseOption(shell, '--since', `earlier than --until (${margin})`)
  }
  // The provider's lists end at whole seconds: a minute keeps the first call inside.
  if (from < now - MAX_BACKFILL_MS + 60_000) {
    throw refuseOption(shell, '--since', 'within the last 30 days: the provider lists no more')
  }
  return { from: Math.round(from), until: Math.round(to) }
}

/** The domain that is named, or all of the settings. */
export function domainsOption(
  shell: Shell,
  { domains }: Config,
  given: string | undefined,
): readonly string[] {
  if (given === undefined) return domains
  const domain = given.toLowerCase()
  if (domains.includes(domain)) return [domain]
  throw refuseOption(
    shell,
    '--domain',
    `one of the settings (${domains.join(', ')}), not "${given}"`,
  )
}
