import { spawnSync } from 'node:child_process'
import { Registry } from 'prom-client'
import { describe, expect, test } from 'vitest'
import type { Sample } from '../../src/ports/metrics.ts'
import type { Definition } from '../../src/telemetry/definition.ts'
import { METRIC_GROUPS, METRICS } from '../../src/telemetry/definitions.ts'
import { createInstruments } from '../../src/telemetry/instruments.ts'
import { createMetrics } from '../../src/telemetry/metrics.ts'

const DOMAIN = 'play.example.com'
const NOW = 1_800_000_000_000
const hasPromtool = spawnSync('promtool', ['--version']).status === 0

function fixture(
  sample: () => Promise<Sample> = async () => ({
    eventsStored: 0,
    lagBySink: new Map(),
    deadLettersBySink: new Map(),
  }),
) {
  const metrics = createMetrics({
    domains: [DOMAIN],
    sinks: ['stdout'],
    version: '1.2.3',
    now: () => NOW,
    sample,
  })
  const lines = async () =>
    (await metrics.render()).body.split('\n').filter((line) => line.startsWith('snaphook_'))
  return { metrics, lines }
}

/** How many series one domain and one sink make at the start. */
const SERIES: [string, number][] = [
  ['snaphook_callbacks_total', 14],
  ['snaphook_callbacks_flagged_total', 5],
  ['snaphook_callbacks_by_key_total', 4],
  ['snaphook_callback_duration_seconds_count', 1],
  ['snaphook_callback_age_seconds_count', 1],
  ['snaphook_last_callback_timestamp_seconds', 1],
  ['snaphook_registration_state', 6],
  ['snaphook_registration_changes_total', 5],
  ['snaphook_api_requests_total', 72],
  ['snaphook_notify_key_generation', 1],
  ['snaphook_notify_key_age_seconds', 1],
  ['snaphook_store_commit_duration_seconds_count', 1],
  ['snaphook_store_commit_events_count', 1],
  ['snaphook_events_stored', 1],
  ['snaphook_sink_lag_events', 1],
  ['snaphook_sink_deliveries_total', 4],
  ['snaphook_sink_state', 3],
  ['snaphook_dead_letters', 1],
  ['snaphook_store_bytes', 1],
  ['snaphook_store_max_bytes', 1],
  ['snaphook_events_expired_total', 1],
  ['snaphook_snapshots_missed_total', 1],
  ['snaphook_snapshots_filled_total', 1],
  ['snaphook_audited_until_timestamp_seconds', 1],
  ['snaphook_audit_state', 7],
  ['snaphook_public_url_probe', 4],
  ['snaphook_peers', 1],
  ['snaphook_task_owned', 5],
  ['snaphook_takeovers_total', 5],
  ['snaphook_store_wait_seconds_count', 1],
  ['snaphook_store_connected', 1],
  ['snaphook_store_durability', 4],
  ['snaphook_store_failovers_total', 1],
  ['snaphook_event_stream_readers', 1],
  ['snaphook_build_info', 1],
]
const all = Object.values<Definition>(METRICS)

describe('the definitions', () => {
  test('each is in one group, under one name', () => {
    const grouped = METRIC_GROUPS.flatMap(({ metrics }) => Object.keys(metrics))
    expect(grouped).toEqual(Object.keys(METRICS))
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length)
  })

  test('the table of series has each', () => {
    const counted = SERIES.map(([name]) => name.replace(/_seconds_count$/, '_seconds'))
    const names = all.map(({ name }) => name)
    expect(counted.map((name) => name.replace(/_events_count$/, '_events')).sort()).toEqual(
      names.sort(),
    )
  })

  test('labels are checked by the compiler', () => {
    const of = createInstruments(
      METRICS,
      { domains: [DOMAIN], sinks: ['stdout'], version: '1' },
      new Registry(),
    )
    // @ts-expect-error an outcome that there is not
    of.callbacks.add({ domain: DOMAIN, outcome: 'lost' })
    // @ts-expect-error a label too few
    expect(() => of.registrationState.set({}, 'lost')).not.toThrow()
  })
})

describe('from the start', () => {
  test.each(SERIES)('%s has %i series', async (name, count) => {
    const { lines } = fixture()
    const own = (await lines()).filter(
      (line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `),
    )
    expect(own).toHaveLength(count)
    const raised = own.filter((line) => !line.endsWith(' 0'))
    expect(raised).toHaveLength(/build_info|_state$|_probe$|_durability$/.test(name) ? 1 : 0)
  })

  test('the process is measured as well', async () => {
    const { body, contentType } = await fixture().metrics.render()
    expect(body).toContain('process_resident_memory_bytes')
    expect(contentType).toContain('text/plain')
  })

  test.runIf(hasPromtool)('promtool finds nothing in our own series', async () => {
    const { metrics } = fixture()
    metrics.callback(DOMAIN, 'accepted', 0.01)
    const { body } = await metrics.render()
    const own = body.split('\n').filter((line) => /^(# (HELP|TYPE) )?snaphook_/.test(line))
    const promtool = spawnSync('promtool', ['check', 'metrics'], { input: `${own.join('\n')}\n` })
    expect(`${promtool.stdout}${promtool.stderr}`).toBe('')
    expect(promtool.status).toBe(0)
  })
})

describe('what happens is counted', () => {
  test('in series of closed sets', async () => {
    const { metrics, lines } = fixture(async () => ({
      eventsStored: 3,
      lagBySink: new Map([['stdout', 2]]),
      deadLettersBySink: new Map([['stdout', 1]]),
    }))
    const start = new Set(await lines())
    metrics.callback(DOMAIN, 'accepted', 0.002)
    metrics.callback('other', 'unknown_domain', 0.001)
    metrics.verified(DOMAIN, 'foreign', 7)
    metrics.flagged(DOMAIN, ['not_json'])
    metrics.registration(DOMAIN, 'conflict')
    metrics.changed(DOMAIN, 'adopt')
    metrics.keyInForce(DOMAIN, -1, NOW - 5_000)
    metrics.attempted('stdout', 'delivered', 9)
    metrics.sinkState('stdout', 'refused')
    metrics.apiCall('AddLiveSnapshotNotifyConfig', 'throttled')
    metrics.commit({ seconds: 0.02, events: 4 })
    metrics.commit({ seconds: 0.02, events: 0 })
    const changed = (await lines()).filter((line) => !start.has(line) && !line.includes('_bucket'))
    expect(changed).toMatchInlineSnapshot(`
      [
        "snaphook_callbacks_total{domain="other",outcome="unknown_domain"} 1",
        "snaphook_callbacks_total{domain="play.example.com",outcome="accepted"} 1",
        "snaphook_callbacks_flagged_total{domain="play.example.com",flag="not_json"} 1",
        "snaphook_callbacks_by_key_total{domain="play.example.com",key="foreign"} 1",
        "snaphook_callback_duration_seconds_sum 0.003",
        "snaphook_callback_duration_seconds_count 2",
        "snaphook_callback_age_seconds_sum 7",
        "snaphook_callback_age_seconds_count 1",
        "snaphook_last_callback_timestamp_seconds{domain="play.example.com"} 1800000000",
        "snaphook_registration_state{domain="play.example.com",state="pending"} 0",
        "snaphook_registration_state{domain="play.example.com",state="conflict"} 1",
        "snaphook_registration_changes_total{domain="play.example.com",change="adopt"} 1",
        "snaphook_api_requests_total{operation="AddLiveSnapshotNotifyConfig",outcome="throttled"} 1",
        "snaphook_notify_key_generation{domain="play.example.com"} -1",
        "snaphook_notify_key_age_seconds{domain="play.example.com"} 5",
        "snaphook_store_commit_duration_seconds_sum 0.04",
        "snaphook_store_commit_duration_seconds_count 2",
        "snaphook_store_commit_events_sum 4",
        "snaphook_store_commit_events_count 1",
        "snaphook_sink_deliveries_total{sink="stdout",outcome="delivered"} 9",
        "snaphook_sink_state{sink="stdout",state="ok"} 0",
        "snaphook_sink_state{sink="stdout",state="refused"} 1",
      ]
    `)
  })

  test('of a shared store each replica shows what the owners found, whatever it knew itself', async () => {
    const found = { domain: DOMAIN, state: 'in_sync', generation: 3 } as const
    const audit = { domain: DOMAIN, state: 'behind', auditedUntil: '2026-01-02T00:00:00Z' } as const
    const byOwners: NonNullable<Sample['byOwners']>[] = [
      {
        registrations: [found],
        sinks: [{ name: 'stdout', state: 'failing' }],
        audits: [audit],
      },
      {
        registrations: [{ ...found, state: 'conflict', generation: null }],
        sinks: [{ name: 'stdout', state: 'ok' }],
        audits: [{ ...audit, auditedUntil: null }],
      },
    ]
    const { metrics, lines } = fixture(async () => ({
      ...{ eventsStored: 0, lagBySink: new Map(), deadLettersBySink: new Map() },
      ...{ byOwners: byOwners.shift() as NonNullable<Sample['byOwners']> },
    }))
    metrics.registration(DOMAIN, 'failed')
    const domain = `domain="${DOMAIN}"`
    const expected = [
      `snaphook_registration_state{state="in_sync",${domain}} 1`,
      `snaphook_registration_state{state="failed",${domain}} 0`,
      `snaphook_notify_key_generation{${domain}} 3`,
      'snaphook_sink_state{state="failing",sink="stdout"} 1',
      `snaphook_audit_state{state="behind",${domain}} 1`,
      `snaphook_audited_until_timestamp_seconds{${domain}} ${Date.parse(audit.auditedUntil) / 1000}`,
    ]
    const sorted = (line: string) =>
      line.replace(/\{(.*)\}/, (_, labels) => labels.split(',').toSorted())
    expect((await lines()).map(sorted)).toEqual(expect.arrayContaining(expected.map(sorted)))
    const later = (await lines()).map(sorted)
    expect(later).toContain(sorted(`snaphook_registration_state{state="conflict",${domain}} 1`))
    expect(later).toContain(`snaphook_notify_key_generation${domain} 3`)
    expect(later).toContain(`snaphook_audited_until_timestamp_seconds${domain} 0`)
  })

  test('a sample that fails leaves the last values', async () => {
    const samples: (() => Promise<Sample>)[] = [
      async () => ({
        eventsStored: 3,
        lagBySink: new Map(),
        deadLettersBySink: new Map([['stdout', 1]]),
      }),
      () => Promise.reject(new Error('store')),
    ]
    const { lines } = fixture(() => (samples.shift() as () => Promise<Sample>)())
    expect(await lines()).toContain('snaphook_events_stored 3')
    expect(await lines()).toEqual(
      expect.arrayContaining([
        'snaphook_events_stored 3',
        'snaphook_dead_letters{sink="stdout"} 1',
      ]),
    )
  })
})
