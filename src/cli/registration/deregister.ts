// `deregister`: deletes the registrations that are ours, until `register` takes them up again.
import { deregisterAll } from '../../admin/deregister.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { EXIT, type Shell, table, withConfig } from '../shell.ts'

export const DEREGISTER = command({
  name: 'deregister',
  description: 'delete the registrations that are ours; exit 1 if any domain is not',
  define: (deregister) =>
    deregister
      .option('--json', 'print JSON')
      .addHelpText(
        'after',
        '\nIt stays done for the replicas of this store. Others, with stores of their own, create it again: stop them first, or deregister on each.',
      ),
  run: runDeregister,
})

function runDeregister(shell: Shell, { json }: { json?: true }): Promise<number> {
  return withConfig(shell, async (config, overrides) => {
    const done = await deregisterAll(config, overrides, shell.signal)
    const rows = done.map(({ domain, outcome, detail }) => [domain, outcome, detail])
    shell.print(json ? printableJson(done, 2) : table(['DOMAIN', 'OUTCOME', 'DETAIL'], rows))
    const good = done.every(({ outcome }) => outcome === 'deleted' || outcome === 'nothing_there')
    return good ? EXIT.done : EXIT.failed
  })
}
