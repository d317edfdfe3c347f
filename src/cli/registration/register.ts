// `register`: registers every domain once and verifies it.
import { registerAll } from '../../admin/register.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { durationOption, EXIT, type Shell, showGeneration, table, withConfig } from '../shell.ts'

type Settled = Awaited<ReturnType<typeof registerAll>>

export const REGISTER = command({
  name: 'register',
  description: 'register every domain once, verify it, and exit',
  define: (register) =>
    register
      .option('--timeout <duration>', 'give up on domains that have not settled by then', '60s')
      .option('--json', 'print JSON'),
  run: runRegister,
})

function runRegister(
  shell: Shell,
  { json, timeout }: { json?: true; timeout: string },
): Promise<number> {
  const timeoutMs = durationOption(shell, '--timeout', timeout)
  return withConfig(shell, async (config, overrides) => {
    const late = AbortSignal.any([shell.signal, AbortSignal.timeout(timeoutMs)])
    return showSettled(shell, await registerAll(config, overrides, late), json)
  })
}

/** Prints what became of each domain. Returns the exit code: done when all are in sync. */
export function showSettled(shell: Shell, views: Settled, json: true | undefined): number {
  const rows = views.map(({ domain, state, generation, url, detail }) => [
    domain,
    state,
    showGeneration(generation),
    detail ?? url,
  ])
  const text = table(['DOMAIN', 'STATE', 'KEY', 'DETAIL'], rows)
  shell.print(json ? printableJson(views, 2) : text)
  return views.every(({ state }) => state === 'in_sync') ? EXIT.done : EXIT.failed
}
