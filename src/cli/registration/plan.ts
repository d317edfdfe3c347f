// `plan`: what the service would change at the provider, and why.
import { planAll } from '../../admin/plan.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { EXIT, type Shell, table, withConfig } from '../shell.ts'

export const PLAN = command({
  name: 'plan',
  description: 'show what would change at the provider; exit 2 if something would',
  define: (plan) => plan.option('--json', 'print JSON'),
  run: runPlan,
})

function runPlan(shell: Shell, { json }: { json?: true }): Promise<number> {
  return withConfig(shell, async (config, overrides) => {
    const planned = await planAll(config, overrides, shell.signal)
    const rows = planned.map(({ domain, step, why }) => [domain, step, why])
    shell.print(json ? printableJson(planned, 2) : table(['DOMAIN', 'STEP', 'WHY'], rows))
    if (planned.some(({ step }) => step === 'failed')) return EXIT.failed
    return planned.some(({ changes }) => changes) ? EXIT.differences : EXIT.done
  })
}
