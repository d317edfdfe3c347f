// Compares the alerts with the metrics that there are.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { AUDIT_STATES } from '../../src/core/audit/state.ts'
import { SINK_STATES } from '../../src/core/delivery/outcome.ts'
import { CALLBACK_OUTCOMES } from '../../src/core/events/callback.ts'
import { CALL_OUTCOMES, OPERATIONS } from '../../src/core/live-operations.ts'
import { PROBE_RESULTS } from '../../src/core/probe.ts'
import { REGISTRATION_STATES } from '../../src/core/registration/registration.ts'
import { KEPT_BY } from '../../src/core/store-place.ts'
import { ownMetrics } from './code.ts'
import { textOf } from './files.ts'
import type { Manifest } from './kustomize.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

describe('alerts', () => {
  const text = textOf('deploy/prometheus/alerts.yaml')
  const rules: Manifest[] = parse(text).groups.flatMap((group: Manifest) => group.rules)

  test('they ask for metrics, labels and values that there are', async () => {
    const { labels } = await ownMetrics()
    const values: readonly string[] = [
      ...CALLBACK_OUTCOMES,
      ...CALL_OUTCOMES,
      ...OPERATIONS,
      ...PROBE_RESULTS,
      ...REGISTRATION_STATES,
      ...SINK_STATES,
      ...AUDIT_STATES,
      ...KEPT_BY,
      'snaphook',
    ]
    for (const { expr } of rules) {
      for (const [name, , matchers = ''] of expr.matchAll(/snaphook_\w+(\{([^}]*)\})?/g)) {
        const metric = name.replace(/\{.*/s, '')
        expect([...labels.keys()]).toContain(metric)
        for (const [, label, list = ''] of matchers.matchAll(/(\w+)=~?"([^"]*)"/g)) {
          expect(labels.get(metric)).toContain(label)
          for (const value of list.split('|')) expect(values).toContain(value)
        }
      }
    }
    expect(rules.length).toBeGreaterThan(0)
  })

  test('every registration state that somebody must act on has one', () => {
    const nothingToDo: readonly string[] = ['in_sync', 'released']
    const asked = rules.map(({ expr }) => expr).join()
    for (const state of REGISTRATION_STATES) {
      if (!nothingToDo.includes(state)) expect(asked).toContain(`{state="${state}"} == 1`)
    }
  })

  test.skipIf(!hasPromtool)('each fires when it should, and not before: promtool runs them', () => {
    const path = fileURLToPath(new URL('./alerts.promtool.yaml', import.meta.url))
    const tested = textOf('test/deploy/alerts.promtool.yaml')
    for (const { alert } of rules) if (alert) expect(tested).toContain(`alertname: ${alert}\n`)
    const run = spawnSync('promtool', ['test', 'rules', path], { encoding: 'utf8' })
    expect([run.status, run.stdout, run.stderr]).toEqual([0, expect.any(String), ''])
  })

  test.skipIf(!hasPromtool).each(['prometheus.yaml', 'prometheus.replicas.yaml'])(
    'promtool takes them and %s',
    (name) => {
      const path = fileURLToPath(new URL(`../../deploy/prometheus/${name}`, import.meta.url))
      const run = spawnSync('promtool', ['check', 'config', path])
      expect(run.stderr.toString()).toBe('')
      expect(run.status).toBe(0)
    },
  )
})
