// `rotate`: replaces the notify keys of some domains, or of all.
import { rotateAll } from '../../admin/register.ts'
import { durationOption, refuseOption, type Shell, withConfig } from '../shell.ts'
import { showSettled } from './register.ts'

export function runRotate(
  shell: Shell,
  named: readonly string[],
  { json, timeout }: { json?: true; timeout: string },
): Promise<number> {
  const timeoutMs = durationOption(shell, '--timeout', timeout)
  return withConfig(shell, async (config, overrides) => {
    const domains = named.length === 0 ? config.domains : named.map((name) => name.toLowerCase())
    const stranger = domains.find((domain) => !config.domains.includes(domain))
    if (stranger !== undefined) {
      throw refuseOption(shell, 'DOMAIN', `one of SNAPHOOK_DOMAINS, not "${stranger}"`)
    }
    const late = AbortSignal.any([shell.signal, AbortSignal.timeout(timeoutMs)])
    return showSettled(shell, await rotateAll(config, overrides, domains, late), json)
  })
}
