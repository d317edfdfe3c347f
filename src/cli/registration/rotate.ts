// `rotate`: replaces the notify keys of some domains, or of all.
import { rotateAll } from '../../admin/register.ts'
import { command } from '../command.ts'
import { durationOption, refuseUsage, type Shell, withConfig } from '../shell.ts'
import { showSettled } from './register.ts'

export const ROTATE = command({
  name: 'rotate',
  description: 'replace the notify keys now; running pushes keep their old ones',
  define: (rotate) =>
    rotate
      .argument('[domains...]', 'the domains; all, if none is named')
      .option('--timeout <duration>', 'give up on domains that have not settled by then', '60s')
      .option('--json', 'print JSON'),
  run: runRotate,
})

function runRotate(
  shell: Shell,
  { json, timeout }: { json?: true; timeout: string },
  named: readonly string[],
): Promise<number> {
  const timeoutMs = durationOption(shell, '--timeout', timeout)
  return withConfig(shell, async (config, overrides) => {
    const domains = named.length === 0 ? config.domains : named.map((name) => name.toLowerCase())
    const stranger = domains.find((domain) => !config.domains.includes(domain))
    if (stranger !== undefined) {
      const known = config.domains.join(', ')
      throw refuseUsage(shell, `"${stranger}" is not one of SNAPHOOK_DOMAINS (${known})`)
    }
    const late = AbortSignal.any([shell.signal, AbortSignal.timeout(timeoutMs)])
    return showSettled(shell, await rotateAll(config, overrides, domains, late), json)
  })
}
