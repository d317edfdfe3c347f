// Compares the deploy files with the code: variables, ports, probe paths, user ids, permissions.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { AUDIT_STATES } from '../../src/core/audit/state.ts'
import { SINK_STATES } from '../../src/core/delivery/outcome.ts'
import { CALLBACK_OUTCOMES } from '../../src/core/events/callback.ts'
import {
  CALL_OUTCOMES,
  DESCRIBE_SNAPSHOT_CONFIG,
  OPERATIONS,
} from '../../src/core/live-operations.ts'
import { PROBE_RESULTS } from '../../src/core/probe.ts'
import { REGISTRATION_STATES } from '../../src/core/registration/registration.ts'
import { KEPT_BY } from '../../src/core/store-place.ts'
import { configFrom, credentialsAdvice, ENVIRONMENT, opsApp, ownMetrics, REQUIRED } from './code.ts'
import { envIn, stagesOf, valuesOf } from './dockerfile.ts'
import { envOf, filesBelow, textOf } from './files.ts'
import type { Manifest } from './kustomize.ts'

const { version } = packageJson
const DEFAULTS = configFrom(REQUIRED)
const CALLBACK_PORT = DEFAULTS.listen.port
const OPS_PORT = DEFAULTS.opsListen.port
/** From the signal to the exit: a promise of the service. */
const STOPS_WITHIN_SECONDS = 5
/** The user `node` of the base image. */
const USER = 1000
const DATA = '/data'
/** Callbacks for all, operations for this machine. */
const PUBLISHED = [`${CALLBACK_PORT}:${CALLBACK_PORT}`, `127.0.0.1:${OPS_PORT}:${OPS_PORT}`]

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

const dockerfile = stagesOf(textOf('Dockerfile'))
const image = dockerfile.at(-1) ?? []
const imageEnv = envIn(image)
const [healthcheck = ''] = valuesOf(image, 'HEALTHCHECK')

test('every deploy file is looked at here', () => {
  expect(filesBelow('deploy')).toEqual([
    'deploy/.env.example',
    'deploy/compose.postgres.yaml',
    'deploy/compose.yaml',
    'deploy/grafana/dashboard.json',
    'deploy/grafana/provisioning/dashboards/snaphook.yaml',
    'deploy/grafana/provisioning/datasources/prometheus.yaml',
    'deploy/haproxy/haproxy.cfg',
    'deploy/kubernetes/base/disruption-budget.yaml',
    'deploy/kubernetes/base/kustomization.yaml',
    'deploy/kubernetes/base/network-policy.yaml',
    'deploy/kubernetes/base/services.yaml',
    'deploy/kubernetes/base/settings.env',
    'deploy/kubernetes/postgres/autoscaler.yaml',
    'deploy/kubernetes/postgres/deployment.yaml',
    'deploy/kubernetes/postgres/kustomization.yaml',
    'deploy/kubernetes/prometheus-operator/kustomization.yaml',
    'deploy/kubernetes/prometheus-operator/prometheus-rule.yaml',
    'deploy/kubernetes/prometheus-operator/service-monitor.yaml',
    'deploy/kubernetes/volumes/kustomization.yaml',
    'deploy/kubernetes/volumes/settings.env',
    'deploy/kubernetes/volumes/statefulset.yaml',
    'deploy/prometheus/alerts.yaml',
    'deploy/prometheus/prometheus.replicas.yaml',
    'deploy/prometheus/prometheus.yaml',
    'deploy/ram-policy-admin.json',
    'deploy/ram-policy-audit.json',
    'deploy/ram-policy-doctor.json',
    'deploy/ram-policy-images.json',
    'deploy/ram-policy.json',
    'deploy/write-rules.ts',
  ])
})

describe('Dockerfile', () => {
  test('every stage is based on the Node.js that the package asks for', () => {
    const [major] = /\d+/.exec(packageJson.engines.node) ?? []
    const bases = dockerfile.map((stage) => valuesOf(stage, 'FROM')[0]?.split(' ')[0])
    expect(bases).toEqual([`node:${major}-bookworm-slim`, `node:${major}-bookworm-slim`])
  })

  test('what it sets are settings, and good ones', () => {
    const { NODE_ENV, ...settings } = imageEnv
    expect(NODE_ENV).toBe('production')
    expect(Object.keys(settings).filter((name) => !ENVIRONMENT.includes(name))).toEqual([])
    const config = configFrom({ ...REQUIRED, ...settings })
    expect(config.opsListen).toEqual({ host: '0.0.0.0', port: OPS_PORT })
    expect(config.store).toEqual({ kind: 'sqlite', path: `${DATA}/snaphook.db` })
  })

  test('exposes both listeners', () => {
    expect(valuesOf(image, 'EXPOSE')).toEqual([`${CALLBACK_PORT} ${OPS_PORT}`])
  })

  test('runs the same as npm start', () => {
    const [entrypoint = ''] = valuesOf(image, 'ENTRYPOINT')
    const start = packageJson.scripts.start.replace('src/', '/app/src/')
    expect(JSON.parse(entrypoint)).toEqual(start.split(' '))
    expect(valuesOf(image, 'CMD')).toEqual([])
  })

  test('runs as the user who owns the one volume', () => {
    expect(valuesOf(image, 'USER')).toEqual([`${USER}:${USER}`])
    expect(valuesOf(image, 'VOLUME')).toEqual([DATA])
    expect(valuesOf(image, 'RUN').join()).toContain(
      `install -d -o ${USER} -g ${USER} -m 0700 ${DATA}`,
    )
  })

  test('takes nothing but production dependencies, and src needs no others', () => {
    expect(valuesOf(dockerfile[0] ?? [], 'RUN')).toContain('npm ci --omit=dev --no-audit --no-fund')
    const imports = filesBelow('src')
      .filter((path) => path.endsWith('.ts'))
      .flatMap((path) => [
        ...textOf(path).matchAll(/(?:from|import) '((?:@[^/']+\/)?[^./'][^/']*)/g),
      ])
      .map(([, name = '']) => name)
      .filter((name) => !name.startsWith('node:'))
    expect([...new Set(imports)].sort()).toEqual(Object.keys(packageJson.dependencies).sort())
  })

  test('copies only what .dockerignore lets through', () => {
    const allowed = [...textOf('.dockerignore').matchAll(/^!(.*)$/gm)].map(([, path]) => path)
    expect(textOf('.dockerignore')).toMatch(/^\*$/m)
    const copied = dockerfile
      .flatMap((stage) => valuesOf(stage, 'COPY'))
      .filter((value) => !value.startsWith('--from='))
      .flatMap((value) => value.split(' ').slice(0, -1))
    expect(copied.sort()).toEqual(allowed.sort())
  })

  test.each([
    ['200', 200, 0],
    ['503', 503, 1],
  ])('its health check takes %s for what it is', async (_, status, code) => {
    const app = opsApp()
    const server = createServer(
      getRequestListener(async (request) => {
        const answer = await app.fetch(request)
        return answer.status === 200 ? new Response(null, { status }) : answer
      }),
    )
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const { port } = server.address() as AddressInfo
    expect(await checkHealth(`0.0.0.0:${port}`)).toBe(code)
    server.close()
    server.closeAllConnections()
  })

  test('its health check fails where nothing answers', async () => {
    expect(await checkHealth('0.0.0.0:1')).toBe(1)
  })

  async function checkHealth(opsListen: string): Promise<number> {
    const [, command = ''] = /CMD (\[.*\])$/.exec(healthcheck) ?? []
    const [program, ...args] = JSON.parse(command) as string[]
    expect(program).toBe('node')
    const child = spawn(process.execPath, args, { env: { SNAPHOOK_OPS_LISTEN: opsListen } })
    const [code] = await once(child, 'exit')
    return code
  }
})

describe('compose', () => {
  const compose = parse(textOf('deploy/compose.yaml'))
  const { snaphook, prometheus, grafana } = compose.services

  test('the store is on a volume', () => {
    expect(snaphook.volumes).toEqual([`data:${DATA}`])
    expect(compose.volumes).toHaveProperty('data')
  })

  test('publishes callbacks to all, operations to this machine', () => {
    expect(snaphook.ports).toEqual(PUBLISHED)
    for (const port of [...prometheus.ports, ...grafana.ports])
      expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  test('Prometheus is given its files, and scrapes the operations port', () => {
    const config = parse(textOf('deploy/prometheus/prometheus.yaml'))
    expect(prometheus.volumes).toContain('./prometheus:/etc/prometheus:ro')
    expect(prometheus.command).toContain('--config.file=/etc/prometheus/prometheus.yaml')
    expect(config.rule_files).toEqual(['alerts.yaml'])
    expect(config.scrape_configs).toEqual([
      { job_name: 'snaphook', static_configs: [{ targets: [`snaphook:${OPS_PORT}`] }] },
    ])
  })
})

describe('compose with PostgreSQL', () => {
  const compose = parse(textOf('deploy/compose.postgres.yaml'))
  const alone = parse(textOf('deploy/compose.yaml')).services
  const { snaphook, balancer, postgres, prometheus, grafana } = compose.services

  test('the replicas have no volume, publish nothing, and start when the database takes connections', () => {
    expect(snaphook).not.toHaveProperty('volumes')
    expect(snaphook).not.toHaveProperty('ports')
    expect(snaphook.deploy.replicas).toBeGreaterThan(1)
    expect(snaphook.depends_on).toEqual({ postgres: { condition: 'service_healthy' } })
    const [command, program, ...options] = postgres.healthcheck.test
    expect([command, program]).toEqual(['CMD', 'pg_isready'])
    expect(options).toEqual(
      expect.arrayContaining(['-U', postgres.environment.POSTGRES_USER, '127.0.0.1']),
    )
  })

  test('secrets come from files, and nothing else sets them', () => {
    const files = Object.entries<{ file: string }>(compose.secrets)
    for (const [name, { file }] of files) expect(file).toBe(`./secrets/${name}`)
    const used = Object.values<Manifest>(compose.services).flatMap(({ secrets = [] }) => secrets)
    expect(used.toSorted()).toEqual(Object.keys(compose.secrets).toSorted())
    const given = Object.entries<string>({
      ...snaphook.environment,
      ...postgres.environment,
    }).filter(([name]) => name.endsWith('_FILE'))
    expect(given.map(([, path]) => path.replace('/run/secrets/', '')).toSorted()).toEqual(
      used.toSorted(),
    )
    expect(textOf('.gitignore')).toMatch(/^deploy\/secrets\/$/m)
    // What the image or `.env` sets gives way.
    const { set } = envOf(textOf('deploy/.env.example'))
    const others = { ...set, ...imageEnv, SNAPHOOK_SECRET: 'of .env' }
    const settings = Object.entries({ ...others, ...snaphook.environment }).filter(([name]) =>
      name.startsWith('SNAPHOOK_'),
    )
    const config = configFrom(Object.fromEntries(settings) as Record<string, string>)
    expect(config).toMatchObject({ store: { kind: 'postgres' } })
    expect(config.secrets).toHaveLength(1)
  })

  test('the load balancer takes callbacks for all, operations for this machine, and asks who is ready', async () => {
    expect(balancer.ports).toEqual(PUBLISHED)
    expect(balancer.volumes).toEqual(['./haproxy:/usr/local/etc/haproxy:ro'])
    const text = textOf('deploy/haproxy/haproxy.cfg')
    const backends = text.split(/^(?=frontend|backend)/m).filter((part) => /^backend/.test(part))
    expect(backends).toHaveLength(2)
    for (const [backend, port] of [
      ['callbacks', CALLBACK_PORT],
      ['operations', OPS_PORT],
    ] as const) {
      expect(text).toContain(`frontend ${backend}\n  bind :${port}\n  default_backend ${backend}\n`)
      const part = backends.find((each) => each.startsWith(`backend ${backend}\n`)) ?? ''
      expect(part).toContain(` snaphook:${port} check port ${OPS_PORT} `)
      const [, path = ''] = /option httpchk GET (\S+)/.exec(part) ?? []
      expect(path).toBe('/readyz')
      expect((await opsApp().request(path)).status).toBe(200)
    }
  })

  test('the database is on a volume, and is given the time to stop', () => {
    expect(postgres.volumes).toEqual(['postgres:/var/lib/postgresql/data'])
    expect(Object.keys(compose.volumes)).toEqual(['postgres', 'prometheus', 'grafana'])
    expect(Number.parseInt(postgres.stop_grace_period, 10)).toBeGreaterThanOrEqual(30)
    expect(postgres).not.toHaveProperty('ports')
  })

  test('Prometheus scrapes each replica, with the rules of the other one', () => {
    const file = 'prometheus.replicas.yaml'
    const config = parse(textOf(`deploy/prometheus/${file}`))
    const { scrape_configs: _, ...single } = parse(textOf('deploy/prometheus/prometheus.yaml'))
    expect(config).toMatchObject(single)
    const [scrape] = config.scrape_configs
    expect(scrape.job_name).toBe('snaphook')
    expect(scrape.dns_sd_configs).toMatchObject([
      { names: ['snaphook'], type: 'A', port: OPS_PORT },
    ])
    const command = prometheus.command.map((each: string) => each.replace('.replicas', ''))
    expect({ ...prometheus, command }).toEqual(alone.prometheus)
    expect(prometheus.command.join()).toContain(file)
    expect(grafana).toEqual(alone.grafana)
  })
})

describe.each(['deploy/compose.yaml', 'deploy/compose.postgres.yaml'])('%s', (path) => {
  const compose = parse(textOf(path))
  const { snaphook } = compose.services

  test('builds and runs this version, and stopping may take as long as it does', () => {
    expect(snaphook).toMatchObject({ build: '..', image: `snaphook:${version}`, env_file: '.env' })
    expect(Number.parseInt(snaphook.stop_grace_period, 10)).toBeGreaterThan(STOPS_WITHIN_SECONDS)
  })

  test('no service may do more than it needs', () => {
    expect(snaphook.user).toBe(`${USER}:${USER}`)
    for (const service of Object.values(compose.services)) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  test('its environment variables, if any, are settings', () => {
    const names = Object.keys(snaphook.environment ?? {})
    expect(names.filter((name) => !ENVIRONMENT.includes(name))).toEqual([])
  })
})

describe('.env.example', () => {
  const { set, commented } = envOf(textOf('deploy/.env.example'))

  test('sets what is required, well, and names only what there is', async () => {
    const settings = Object.entries(set).filter(([name]) => name.startsWith('SNAPHOOK_'))
    expect(configFrom(Object.fromEntries(settings))).toMatchObject({
      publicUrls: ['https://hook.example.com'],
    })
    const advice = await credentialsAdvice()
    const names = [...Object.keys(set), ...Object.keys(commented)]
    const unknown = names.filter(
      (name) => !ENVIRONMENT.includes(name) && !advice.split(/[ ,]+/).includes(name),
    )
    expect(unknown).toEqual([])
  })

  test('shows no secret', () => {
    expect(Object.entries(commented)).toEqual(Object.keys(commented).map((name) => [name, '']))
  })
})

describe('RAM policies', () => {
  const [serving] = JSON.parse(textOf('deploy/ram-policy.json')).Statement
  const [admin] = JSON.parse(textOf('deploy/ram-policy-admin.json')).Statement
  const [audit] = JSON.parse(textOf('deploy/ram-policy-audit.json')).Statement

  test('serving may do what the service calls, on streaming domains', () => {
    const actions = OPERATIONS.map((operation) => `live:${operation}`)
    const others: readonly string[] = [admin.Action, ...audit.Action]
    const withoutAdmin = actions.filter((action) => !others.includes(action))
    expect(serving.Action.toSorted()).toEqual(withoutAdmin.toSorted())
    expect(serving).toMatchObject({ Effect: 'Allow', Resource: 'acs:cdn:*:*:domain/*' })
  })

  test('the doctor may look at snapshot configurations on top, and at nothing else', () => {
    const [doctor] = JSON.parse(textOf('deploy/ram-policy-doctor.json')).Statement
    expect(doctor).toEqual({
      Effect: 'Allow',
      Action: `live:${DESCRIBE_SNAPSHOT_CONFIG}`,
      Resource: '*',
    })
  })

  test('the audit may list pushes and shots on top, which is authorised for all resources only', () => {
    const lists = ['DescribeLiveStreamsPublishList', 'DescribeLiveStreamSnapshotInfo']
    expect(audit).toEqual({
      Effect: 'Allow',
      Action: lists.map((name) => `live:${name}`),
      Resource: '*',
    })
    expect(OPERATIONS).toEqual(expect.arrayContaining(lists))
  })

  test('pictures take reading objects of one bucket, and nothing else', () => {
    const [images] = JSON.parse(textOf('deploy/ram-policy-images.json')).Statement
    expect(images).toEqual({
      Effect: 'Allow',
      Action: 'oss:GetObject',
      Resource: expect.stringMatching(/^acs:oss:\*:\*:[\w-]+\/\*$/),
    })
  })

  test('the admin may delete on top, which is authorised for all resources only', () => {
    expect(admin).toEqual({
      Effect: 'Allow',
      Action: 'live:DeleteLiveSnapshotNotifyConfig',
      Resource: '*',
    })
    expect(OPERATIONS.map((name) => `live:${name}`)).toContain(admin.Action)
  })
})

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
