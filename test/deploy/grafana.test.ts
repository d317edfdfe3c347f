// The Grafana dashboard: each of its queries is run by a Prometheus that scraped a real service.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { postgresForFile } from '../support/postgres/postgres-server.ts'
import { DOMAIN, setStage, settled } from '../support/service/stage.ts'
import { until } from '../support/until.ts'
import { textOf } from './files.ts'

const hasPrometheus = spawnSync('prometheus', ['--version']).status === 0
/** What Grafana puts in before it asks. */
const VARIABLES = { $__rate_interval: '30s', $domain: '.*' }
/** Nothing of it happens in a good run, so these may be empty, whatever else is in the panel. */
const EMPTY_WHEN_WELL = /outcome!~/
/** A log in a file has no owners. */
const EMPTY_WITH_A_FILE = /task_owned\) == 1/

type Target = { expr: string; datasource: { uid: string } }
type Answer = {
  status: string
  error?: string
  data: { result: { metric: Record<string, string> }[] }
}
type Panel = {
  type: string
  title: string
  targets?: Target[]
  gridPos: Record<'x' | 'y' | 'w' | 'h', number>
}

const server = postgresForFile()
const alerts: { alert: string; expr: string }[] = parse(
  textOf('deploy/prometheus/alerts.yaml'),
).groups.flatMap((group: { rules: unknown[] }) => group.rules)
const dashboard = JSON.parse(textOf('deploy/grafana/dashboard.json'))
const panels: Panel[] = dashboard.panels
const queries = panels.flatMap(({ title, targets = [] }) =>
  targets.map(({ expr }) => ({ title, expr: filled(expr) })),
)

function filled(expr: string): string {
  return Object.entries(VARIABLES).reduce(
    (text, [name, value]) => text.replaceAll(name, value),
    expr,
  )
}

test('every panel has a title of its own, and no two lie on each other', () => {
  const shown = panels.filter(({ type }) => type !== 'row')
  expect(new Set(shown.map(({ title }) => title)).size).toBe(shown.length)
  const cells = shown.flatMap(({ gridPos: { x, y, w, h } }) =>
    Array.from({ length: w * h }, (_, n) => `${x + (n % w)},${y + Math.floor(n / w)}`),
  )
  expect(new Set(cells).size).toBe(cells.length)
})

test('compose gives it to Grafana, beside the Prometheus that it asks', () => {
  const { grafana } = parse(textOf('deploy/compose.yaml')).services
  const [source] = parse(
    textOf('deploy/grafana/provisioning/datasources/prometheus.yaml'),
  ).datasources
  const [provider] = parse(textOf('deploy/grafana/provisioning/dashboards/snaphook.yaml')).providers
  expect(source.url).toBe('http://prometheus:9090')
  const sources = panels.flatMap(({ targets = [] }) =>
    targets.map(({ datasource }) => datasource.uid),
  )
  expect(new Set(sources)).toEqual(new Set([source.uid]))
  expect(grafana.volumes).toContain('./grafana/provisioning:/etc/grafana/provisioning:ro')
  expect(grafana.volumes).toContain(
    `./grafana/dashboard.json:${provider.options.path}/snaphook.json:ro`,
  )
})

describe.skipIf(!hasPrometheus)('queries', () => {
  test('each gives figures of a real run', async () => {
    await using stage = await setStage({ streams: 3, intervalMs: 100 })
    const service = await stage.serve()
    await settled(service)
    await until('callbacks', () => service.events().length > 10)
    await using prometheus = await startPrometheus(new URL(service.ops).host)
    await until(
      'three scrapes',
      async () => (await prometheus.ask(`count_over_time(up[1m]) >= 3`)).length > 0,
    )
    const empty = await emptyOf(prometheus)
    expect(empty.filter((each) => !EMPTY_WITH_A_FILE.test(each))).toEqual([])
    const domains = (await prometheus.ask('snaphook_registration_state')).map(
      ({ metric }) => metric.domain,
    )
    expect(new Set(domains)).toEqual(new Set([DOMAIN]))
  })

  test('each gives figures of two replicas on PostgreSQL, and no alert has a reason', async () => {
    await using stage = await setStage({ streams: 3, intervalMs: 100 })
    const { host, port, user, database, schema } = server().newLocation()
    const url = `postgres://${user}@${host}:${port}/${database}?schema=${schema}&sslmode=disable`
    const settings = { SNAPHOOK_STORE: url }
    const services = await Promise.all([stage.serve(settings), stage.serve(settings)])
    stage.front.lead(...services.map(({ callbacks }) => callbacks))
    for (const service of services) await settled(service)
    await until('callbacks', () => services.flatMap((each) => each.events()).length > 20)
    await using prometheus = await startPrometheus(
      ...services.map((service) => new URL(service.ops).host),
    )
    await until(
      'three scrapes of both, that see each other',
      async () =>
        (
          await prometheus.ask(
            'min(count_over_time(up[1m])) >= 3 and count(snaphook_peers == 2) == 2',
          )
        ).length > 0,
    )
    await until('each panel to show something', async () => {
      return (await emptyOf(prometheus)).length === 0
    }).catch(async () => expect(await emptyOf(prometheus)).toEqual([]))
    const owners = await prometheus.ask('sum by (task) (snaphook_task_owned) == 1')
    expect(owners.map(({ metric }) => metric.task).toSorted()).toEqual([
      'audit',
      'janitor',
      'registrar',
      'sink:stdout',
      'streams',
    ])
    for (const { alert, expr } of alerts) {
      expect([alert, await prometheus.ask(expr)]).toEqual([alert, []])
    }
  })
})

type Prometheus = Awaited<ReturnType<typeof startPrometheus>>

/** The panels that show nothing, and should. */
async function emptyOf(prometheus: Prometheus): Promise<string[]> {
  const empty: string[] = []
  for (const { title, expr } of queries) {
    const result = await prometheus.ask(expr)
    if (result.length === 0 && !EMPTY_WHEN_WELL.test(expr)) empty.push(`${title}: ${expr}`)
  }
  return empty
}

/** A Prometheus with a store of its own that scrapes `targets` twice a second. */
async function startPrometheus(...targets: string[]) {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-prometheus-'))
  const config = {
    job_name: 'snaphook',
    scrape_interval: '500ms',
    scrape_timeout: '500ms',
    static_configs: [{ targets }],
  }
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify({ scrape_configs: [config] }))
  const child: ChildProcess = spawn(
    'prometheus',
    [
      `--config.file=${folder}/prometheus.yml`,
      `--storage.tsdb.path=${folder}/data`,
      '--web.listen-address=127.0.0.1:0',
    ],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  let said = ''
  child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (said += chunk))
  const port = await until(
    'Prometheus to listen',
    () => /address=127\.0\.0\.1:([1-9]\d*)/.exec(said)?.[1],
  )

  // It listens before it can be asked.
  await until(
    'Prometheus to be ready',
    async () => (await fetch(`http://127.0.0.1:${port}/-/ready`)).ok,
  )

  return {
    /** The result of a query; a fault of it is thrown. */
    async ask(expr: string): Promise<{ metric: Record<string, string> }[]> {
      const response = await fetch(
        `http://127.0.0.1:${port}/api/v1/query?query=${encodeURIComponent(expr)}`,
      )
      const { status, error, data } = (await response.json()) as Answer
      if (status !== 'success') throw new Error(`${expr}: ${error}`)
      return data.result
    },
    async [Symbol.asyncDispose](): Promise<void> {
      child.kill()
      await once(child, 'exit')
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
