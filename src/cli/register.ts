// `register`: registers every domain once and verifies it.
import { registerAll } from '../one-off.ts'
import { durationOption, EXIT, type Shell, table, withConfig } from './shell.ts'

export function runRegister(
  shell: Shell,
  { json, timeout }: { json?: true; timeout: string },
): Promise<number> {
  const timeoutMs = durationOption(shell, '--timeout', timeout)
  return withConfig(shell, async (config, world) => {
    const late = AbortSignal.timeout(timeoutMs)
    const views = await registerAll(config, world, AbortSignal.any([shell.signal, late]))
    const rows = views.map(({ domain, state, url, detail }) => [domain, state, detail ?? url])
    shell.print(json ? JSON.stringify(views, null, 2) : table(['DOMAIN', 'STATE', 'DETAIL'], rows))
    return views.every(({ state }) => state === 'in_sync') ? EXIT.done : EXIT.failed
  })
}
