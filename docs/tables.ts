// Fills the parts of these pages that come from the code: settings, metrics, commands, the machine of
// registration. Such a part
// stands between `<!-- settings: Store -->` and `<!-- end -->`. `npm run docs` writes them anew, and a
// test fails while a page differs from what the code declares.
import { createProgram, loadCommands } from '../src/cli/cli.ts'
import type { Shell } from '../src/cli/shell.ts'
import type { Setting } from '../src/config/setting.ts'
import { GROUPS } from '../src/config/settings.ts'
import { labelNames } from '../src/telemetry/definition.ts'
import { METRIC_GROUPS } from '../src/telemetry/definitions.ts'
import { rowsOf, TABLES } from './registration-rows.ts'

const PART = /^<!-- (\w+): ([^\n]+) -->\n.*?^<!-- end -->$/gms
const LINE = 118
/** Nothing of the shell is touched before a command runs. */
const COMMANDS = createProgram(await loadCommands(), {} as Shell, () => undefined).commands

/** The page with all its parts as the code has them; throws on a part that nothing declares. */
export function withTables(page: string): string {
  return page.replaceAll(PART, (_, kind: string, name: string) => {
    const lines = KINDS[kind]?.(name)
    if (lines === undefined) throw new TypeError(`nothing declares ${kind}: ${name}`)
    return [`<!-- ${kind}: ${name} -->`, ...lines, '<!-- end -->'].join('\n')
  })
}

/** The parts that a page has, as `kind: name`. */
export function partsOf(page: string): string[] {
  return [...page.matchAll(PART)].map(([, kind, name]) => `${kind}: ${name}`)
}

/** The parts that the code declares, so that none is left out of the pages. */
export function declaredParts(): string[] {
  return [
    ...GROUPS.map(({ title }) => `settings: ${title}`),
    ...METRIC_GROUPS.map(({ title }) => `metrics: ${title}`),
    ...TABLES.map((name) => `machine: ${name}`),
    ...COMMANDS.map((command) => `command: ${command.name()}`),
  ]
}

const KINDS: Readonly<Record<string, (name: string) => string[] | undefined>> = {
  settings(title) {
    const group = GROUPS.find((each) => each.title === title)
    return (
      group &&
      table(
        ['variable', 'default', 'meaning'],
        Object.values(group.settings).map((each) => [
          `\`${each.env}\`${each.secret ? ' †' : ''}`,
          defaultOf(each),
          each.about,
        ]),
      )
    )
  },
  metrics(title) {
    const group = METRIC_GROUPS.find((each) => each.title === title)
    return (
      group &&
      table(
        ['metric', 'labels', 'meaning'],
        Object.values(group.metrics).map((each) => [
          `\`${each.name}\``,
          labelNames(each)
            .map((label) => `\`${label}\``)
            .join(', '),
          each.help,
        ]),
      )
    )
  },
  machine(name) {
    const rows = rowsOf(name)
    return rows.length === 0 ? undefined : table(['event', 'if', 'then', 'asks for'], rows)
  },
  command(name) {
    const command = COMMANDS.find((each) => each.name() === name)
    return (
      command && [
        ...wrapped('', `${upperFirst(command.description())}.`),
        ...command.options.flatMap(({ flags, description }) =>
          wrapped('- ', `\`${flags}\`: ${description}`),
        ),
      ]
    )
  },
}

function defaultOf({ unset }: Setting<unknown>): string {
  return unset.kind === 'default' ? `\`${unset.text}\`` : unset.kind
}

function table(heading: readonly string[], rows: readonly (readonly string[])[]): string[] {
  return [heading, heading.map(() => '---'), ...rows].map((row) =>
    `| ${row.join(' | ')} |`.replaceAll('|  |', '| |'),
  )
}

function wrapped(mark: string, text: string): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && `${last} ${word}`.length <= LINE) {
      lines[lines.length - 1] = `${last} ${word}`
    } else lines.push((last === undefined ? mark : ' '.repeat(mark.length)) + word)
  }
  return lines
}

function upperFirst(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
