// docs/provider.md against the emulator and the API client.
import { expect, test } from 'vitest'
import packageJson from '../../package.json' with { type: 'json' }
import { AUDIT_STATES } from '../../src/core/audit/state.ts'
import { DESCRIBE_SNAPSHOT_CONFIG, OPERATIONS } from '../../src/core/live-operations.ts'
import { createControlApp } from '../../src/emulator/control-app.ts'
import { FAULT_KINDS, SWITCH_VALUES } from '../../src/emulator/emulator.ts'
import { defaultSwitches } from '../../src/emulator/switches.ts'
import { textOf } from '../deploy/files.ts'
import { codesIn, tableOf } from '../deploy/markdown.ts'

const provider = textOf('docs/provider.md')

test('the switches and their values are those that there are, the default first', () => {
  const rows = tableOf(provider, ['switch', 'values', 'the question'])
  const documented = new Map(rows.map(([name, values]) => [codesIn(name)[0], codesIn(values)]))
  const { describe_lag, list_lag, lose_callbacks, ...choices } = SWITCH_VALUES
  const open = Object.entries({ describe_lag, list_lag, lose_callbacks })
  const firstOnly = Object.fromEntries(open.map(([name, [first]]) => [name, [first]]))
  const all = { ...choices, ...firstOnly }
  expect(Object.fromEntries(documented)).toEqual(all)
  const firsts = [...documented].map(([name, [value]]) => [name, value])
  const defaults = Object.entries(defaultSwitches()).map(([name, value]) => [name, String(value)])
  expect(Object.fromEntries(firsts)).toEqual(Object.fromEntries(defaults))
})

test('the faults are those that there are', () => {
  const rows = tableOf(provider, ['fault', 'what happens'])
  expect(rows.map(([name]) => codesIn(name)[0])).toEqual(Object.keys(FAULT_KINDS))
  for (const [name, meaning] of rows) {
    const kind = codesIn(name)[0] as keyof typeof FAULT_KINDS
    expect(meaning?.replaceAll('`', '')).toBe(FAULT_KINDS[kind].replaceAll('`', ''))
  }
})

test('the control API is that of the app', () => {
  const rows = tableOf(provider, ['request', 'what it does'])
  type Options = Parameters<typeof createControlApp>[0]
  const { routes } = createControlApp({} as Options)
  const paths = routes.filter(({ path }) => !path.endsWith('*'))
  const documented = rows.map(([request]) => codesIn(request)[0])
  expect(documented.sort()).toEqual(paths.map(({ method, path }) => `${method} ${path}`).sort())
})

test('every operation that is called is named', () => {
  const rows = tableOf(provider, ['operation', 'used by', 'documented errors'])
  const named = rows.map(([operation]) => codesIn(operation)[0])
  expect(named.toSorted()).toEqual([...OPERATIONS, DESCRIBE_SNAPSHOT_CONFIG].toSorted())
})

test('the API client is the one that is installed', () => {
  const version = packageJson.dependencies['@alicloud/pop-core']
  expect(provider).toContain(`\`@alicloud/pop-core\` ${version}`)
})

test('the states of the audit are those that there are', () => {
  const rows = tableOf(textOf('docs/operating.md'), ['audit', 'what it means, what to do'])
  expect(rows.map(([state]) => codesIn(state)[0])).toEqual(AUDIT_STATES)
})
