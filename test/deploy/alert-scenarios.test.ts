// Nights and starts as they are, with every metric that the service has: which alerts fire, of all.
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { createMetrics } from '../../src/telemetry/metrics.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0
/** One that no callback comes for. */
const SILENT = 'always-live.example.com'
const RULES = fileURLToPath(new URL('../../deploy/prometheus/alerts.yaml', import.meta.url))
/** Promtool counts from the epoch. */
const MINUTE = 60

/** One sample a minute: the value at each, or null where there is none. */
type Course = (minute: number) => number | null

type Scenario = {
  readonly minutes: number
  readonly job?: string
  /** Series that are not what they are on a quiet day, by the beginning of their name and labels. */
  readonly over?: Readonly<Record<string, Course>>
  /** What is scraped of all series: nothing while it is down. */
  readonly isUp?: (minute: number) => boolean
}

/** The series of a service in order, by name and labels, as at the end of a quiet day. */
async function quietSeries(): Promise<Map<string, number>> {
  const metrics = createMetrics({
    domains: ['play.example.com', SILENT],
    sinks: ['stdout', 'hook'],
    version: '0.0.0',
    now: () => 0,
    sample: async () => ({
      eventsStored: 0,
      lagBySink: new Map([
        ['stdout', 0],
        ['hook', 0],
      ]),
      deadLettersBySink: new Map(),
    }),
  })
  for (const domain of ['play.example.com', SILENT]) metrics.registration(domain, 'in_sync')
  for (const sink of ['stdout', 'hook']) metrics.sinkState(sink, 'ok')
  metrics.storeSize(1e6, 1e9)
  metrics.probed('reached')
  const { body } = await metrics.render()
  const series = new Map<string, number>()
  for (const [, name = '', labels = '', value] of body.matchAll(/^(\w+)(?:\{(.*)\})? (\S+)/gm)) {
    if (name.startsWith('snaphook_')) series.set(`${name}{${labels}}`, Number(value))
  }
  series.set('process_start_time_seconds{}', 0)
  return series
}

/** A registration is looked at every five minutes. */
const looks: Course = (minute) => 1 + Math.floor(minute / 5)
const LOOKED =
  'snaphook_api_requests_total{operation="DescribeLiveSnapshotNotifyConfig",outcome="ok"'
const lastCallback = (domain: string) =>
  `snaphook_last_callback_timestamp_seconds{domain="${domain}"`
const callbacks = (domain: string, outcome: string) =>
  `snaphook_callbacks_total{domain="${domain}",outcome="${outcome}"`
const stateOf = (sink: string, state: string) =>
  `snaphook_sink_state{sink="${sink}",state="${state}"`

/** The alerts that fire at some time, with the minute in which each first does. */
async function fired({ minutes, job = 'snaphook', over = {}, isUp = () => true }: Scenario) {
  const courses = new Map<string, Course>()
  const all: Record<string, Course> = {
    [LOOKED]: looks,
    [lastCallback(SILENT)]: (minute) => minute * MINUTE,
    ...over,
  }
  const pending = new Set(Object.keys(all))
  for (const [series, value] of await quietSeries()) {
    const [start] = Object.keys(all).filter((each) => series.startsWith(each))
    if (start !== undefined) pending.delete(start)
    courses.set(series, start === undefined ? () => value : (all[start] as Course))
  }
  // A name that fits nothing would prove nothing.
  expect([...pending]).toEqual([])
  const at = Array.from({ length: minutes + 1 }, (_, minute) => minute)
  const valuesOf = (course: Course) =>
    at.map((minute) => (isUp(minute) ? (course(minute) ?? '_') : '_')).join(' ')
  const target = `job="${job}",instance="one:9090"`
  const input = [...courses].map(([series, course]) => ({
    series: series.replace(/\{(.*)\}$/, (_, own) => `{${own === '' ? '' : `${own},`}${target}}`),
    values: valuesOf(course),
  }))
  input.push({ series: `up{${target}}`, values: at.map((m) => (isUp(m) ? 1 : 0)).join(' ') })
  const path = join(temporaryFolder(), 'scenario.json')
  const asked = {
    expr: 'count_over_time(ALERTS{alertstate="firing"}[1d])',
    eval_time: `${minutes}m`,
    exp_samples: [],
  }
  const tests = [{ interval: '1m', input_series: input, promql_expr_test: [asked] }]
  writeFileSync(path, JSON.stringify({ rule_files: [RULES], evaluation_interval: '1m', tests }))
  const run = spawnSync('promtool', ['test', 'rules', path], { encoding: 'utf8' })
  const found: Record<string, number> = {}
  const text = `${run.stdout}${run.stderr}`
  for (const [, name = '', count] of text.matchAll(/alertname="(\w+)"[^}]*\} ([\d.E+]+)/g)) {
    found[name] = minutes + 1 - Number(count)
  }
  expect(run.status === 0).toBe(Object.keys(found).length === 0)
  return found
}

const steady = (perMinute: number): Course => {
  return (minute) => perMinute * minute
}

test.skipIf(!hasPromtool).each<[what: string, scenario: Scenario]>([
  ['a quiet night', { minutes: 480 }],
  [
    'two stray posts in a quiet night, six minutes apart',
    {
      minutes: 480,
      over: {
        [callbacks('play.example.com', 'missing_header')]: (m) => (m < 200 ? 0 : m < 206 ? 1 : 2),
      },
    },
  ],
  [
    'a busy day, of which three in a hundred are refused',
    {
      minutes: 120,
      over: {
        [callbacks('play.example.com', 'accepted')]: steady(970),
        [callbacks('play.example.com', 'bad_signature')]: steady(30),
      },
    },
  ],
  [
    'a restart that takes a minute, under load',
    {
      minutes: 120,
      isUp: (minute) => minute !== 60,
      over: {
        [callbacks('play.example.com', 'accepted')]: (m) => 1_000 * (m % 60),
        [LOOKED]: (m) => looks(m % 60),
        process_start_time_seconds: (m) => (m > 60 ? 60 * MINUTE : 0),
        'snaphook_sink_lag_events{sink="hook"': (m) => (m === 61 ? 5_000 : 0),
      },
    },
  ],
  [
    'a first start: pending for six minutes, no key at first, and a domain that never had a callback',
    {
      minutes: 240,
      over: {
        [callbacks('play.example.com', 'no_key')]: (m) => Math.min(20, 20 * m),
        [callbacks('play.example.com', 'accepted')]: (m) => Math.max(0, 10 * (m - 1)),
        'snaphook_registration_state{domain="play.example.com",state="pending"': (m) =>
          m < 6 ? 1 : 0,
        'snaphook_registration_state{domain="play.example.com",state="in_sync"': (m) =>
          m < 6 ? 0 : 1,
        [stateOf('hook', 'failing')]: (m) => (m < 10 ? 1 : 0),
        [stateOf('hook', 'ok')]: (m) => (m < 10 ? 0 : 1),
      },
    },
  ],
  [
    'a sink that is always a little behind, and well',
    { minutes: 120, over: { 'snaphook_sink_lag_events{sink="hook"': (m) => 1 + (m % 7) } },
  ],
])('no alert: %s', async (_what, scenario) => {
  expect(await fired(scenario)).toEqual({})
})

test.skipIf(!hasPromtool)(
  'silence is no alert by itself: only where the provider lists shots',
  async () => {
    const silent = { [callbacks(SILENT, 'accepted')]: () => 0 }
    expect(await fired({ minutes: 240, over: silent })).toEqual({})
    // Found at minute 20, and every quarter of an hour from then on.
    const missed = (minute: number) => (minute < 20 ? 0 : 100 * Math.floor((minute - 5) / 15))
    const listed = { [`snaphook_snapshots_missed_total{domain="${SILENT}"`]: missed }
    const found = await fired({ minutes: 120, over: { ...silent, ...listed } })
    expect(Object.keys(found).toSorted()).toEqual(['SnaphookShotsMissed', 'SnaphookSilent'])
  },
)

test.skipIf(!hasPromtool)('most of what comes is refused, little as it is', async () => {
  const refused = { [callbacks('play.example.com', 'bad_signature')]: steady(0.1) }
  const found = await fired({ minutes: 240, over: refused })
  expect(Object.keys(found)).toEqual(['SnaphookCallbacksRefused'])
  expect(found.SnaphookCallbacksRefused).toBeLessThan(130)
})

test.skipIf(!hasPromtool)('a sink that flaps and never catches up', async () => {
  const over = {
    'snaphook_sink_lag_events{sink="hook"': () => 12,
    [stateOf('hook', 'failing')]: (m: number) => m % 2,
    [stateOf('hook', 'ok')]: (m: number) => 1 - (m % 2),
  }
  const found = await fired({ minutes: 60, over })
  expect(Object.keys(found)).toEqual(['SnaphookSinkFlapping'])
  expect(found.SnaphookSinkFlapping).toBeLessThan(20)
})

test.skipIf(!hasPromtool).each(['snaphook', 'webhooks'])(
  'it is down, under the job %s',
  async (job) => {
    const found = await fired({ minutes: 40, job, isUp: (minute) => minute < 20 })
    expect(found).toMatchObject({ SnaphookDown: 22 })
    expect(Object.keys(found).toSorted()).toEqual(['SnaphookAbsent', 'SnaphookDown'])
  },
)
