// `doctor`: finds what usually goes wrong, and says what to do next.
import { examine } from '../../admin/doctor/examine.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { EXIT, type Shell, table, withConfig } from '../shell.ts'

export const DOCTOR = command({
  name: 'doctor',
  description: 'find what usually goes wrong, and say what to do; exit 1 on a problem',
  define: (doctor) =>
    doctor
      .option('--write', 'also try whether Update is allowed: puts back exactly what is there')
      .option('--json', 'print JSON'),
  run: runDoctor,
})

function runDoctor(
  shell: Shell,
  { json, write = false }: { json?: true; write?: boolean },
): Promise<number> {
  return withConfig(shell, async (config, overrides) => {
    const findings = await examine(config, overrides, { write, signal: shell.signal })
    const rows = findings.map(({ result, check, subject, detail, next }) => [
      result.replace('_', ' '),
      check.replace('_', ' '),
      subject,
      next === null ? detail : `${detail}; ${next}`,
    ])
    if (json) shell.print(printableJson(findings, 2))
    else shell.print(table(['RESULT', 'CHECK', 'OF', 'DETAIL'], rows))
    return findings.some(({ result }) => result === 'problem') ? EXIT.failed : EXIT.done
  })
}
