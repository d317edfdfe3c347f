// Compares the deploy files with the code: variables, ports, probe paths, user ids, permissions.
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { fileURLToPath } from 'node:url'
import { getRequestListener } from '@hono/node-server'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { SECRET_NAMES } from '../../src/config/environment.ts'
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
import { configFrom, credentialsAdvice, ENVIRONMENT, opsApp, ownMetrics, REQUIRED } from './code.ts'
import { stagesOf, valuesOf } from './dockerfile.ts'
import { envOf, filesBelow, textOf } from './files.ts'

const { version } = packageJson
const DEFAULTS = configFrom(REQUIRED)
const CALLBACK_PORT = DEFAULTS.listen.port
const OPS_PORT = DEFAULTS.opsListen.port
/** From the signal to the exit: a promise of the service. */
const STOPS_WITHIN_SECONDS = 5
/** The service waits so long for the store of the one before. */
const LOCK_WAIT_SECONDS = 15
/** The user `node` of the base image. */
const USER = 1000
const DATA = '/data'

const hasPromtool = spawnSync('promtool', ['--version']).status === 0

const dockerfile = stagesOf(textOf('Dockerfile'))
const image = dockerfile.at(-1) ?? []
const imageEnv = Object.fromEntries(
  valuesOf(image, 'ENV').flatMap((value) =>
    [...value.matchAll(/(\w+)=(\S+)/g)].map(([, n, v]) => [n, v]),
  ),
) as Record<string, string>
const [healthcheck = ''] = valuesOf(image, 'HEALTHCHECK')

test('every deploy file is looked at here', () => {
  expect(filesBelow('deploy')).toEqual([
    'deploy/.env.example',
    'deploy/compose.yaml',
    'deploy/grafana/dashboard.json',
    'deploy/grafana/provisioning/dashboards/snaphook.yaml',
    'deploy/grafana/provisioning/datasources/prometheus.yaml',
    'deploy/kubernetes/disruption-budget.yaml',
    'deploy/kubernetes/kustomization.yaml',
    'deploy/kubernetes/network-policy.yaml',
    'deploy/kubernetes/prometheus-operator/kustomization.yaml',
    'deploy/kubernetes/prometheus-operator/prometheus-rule.yaml',
    'deploy/kubernetes/prometheus-operator/service-monitor.yaml',
    'deploy/kubernetes/services.yaml',
    'deploy/kubernetes/settings.env',
    'deploy/kubernetes/statefulset.yaml',
    'deploy/prometheus/alerts.yaml',
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
    expect(config.storePath).toBe(`${DATA}/snaphook.db`)
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

  test('builds and runs this version', () => {
    expect(snaphook).toMatchObject({ build: '..', image: `snaphook:${version}`, env_file: '.env' })
  })

  test('the service may do no more than it needs', () => {
    expect(snaphook.user).toBe(`${USER}:${USER}`)
    for (const service of [snaphook, prometheus, grafana]) {
      expect(service).toMatchObject({
        read_only: true,
        cap_drop: ['ALL'],
        security_opt: ['no-new-privileges:true'],
      })
    }
  })

  test('the store is on a volume, and stopping may take as long as it does', () => {
    expect(snaphook.volumes).toEqual([`data:${DATA}`])
    expect(compose.volumes).toHaveProperty('data')
    expect(Number.parseInt(snaphook.stop_grace_period, 10)).toBeGreaterThan(STOPS_WITHIN_SECONDS)
  })

  test('publishes callbacks to all, operations to this machine', () => {
    expect(snaphook.ports).toEqual([
      `${CALLBACK_PORT}:${CALLBACK_PORT}`,
      `127.0.0.1:${OPS_PORT}:${OPS_PORT}`,
    ])
    for (const port of [...prometheus.ports, ...grafana.ports])
      expect(port).toMatch(/^127\.0\.0\.1:/)
  })

  test('its environment variables, if any, are settings', () => {
    const names = Object.keys(snaphook.environment ?? {})
    expect(names.filter((name) => !ENVIRONMENT.includes(name))).toEqual([])
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

// biome-ignore lint/suspicious/noExplicitAny: what a YAML file holds is checked by the test itself
type Manifest = any

describe('kubernetes', () => {
  const kustomization = parse(textOf('deploy/kubernetes/kustomization.yaml'))
  const manifests: Manifest[] = kustomization.resources.flatMap((path: string) =>
    parseAllDocuments(textOf(`deploy/kubernetes/${path}`)).map((document) => document.toJS()),
  )
  const named = (kind: string, name: string) =>
    manifests.find((each) => each.kind === kind && each.metadata.name === name)
  const statefulSet = named('StatefulSet', 'snaphook')
  const pod = statefulSet.spec.template.spec
  const [container] = pod.containers
  const settings = envOf(textOf('deploy/kubernetes/settings.env')).set
  const labels = statefulSet.spec.template.metadata.labels

  test('the kustomization takes every file, and this version', () => {
    const files = ['kustomization.yaml', 'settings.env', ...kustomization.resources]
    expect(files.map((name) => `deploy/kubernetes/${name}`).sort()).toEqual(
      filesBelow('deploy/kubernetes').filter((path) => !path.includes('/prometheus-operator/')),
    )
    expect(kustomization.images).toMatchObject([{ name: container.image, newTag: version }])
    expect(kustomization.configMapGenerator).toEqual([
      { name: container.envFrom[0].configMapRef.name, envs: ['settings.env'] },
    ])
  })

  test('two replicas that start together, a volume each, one secret', () => {
    expect(statefulSet.spec).toMatchObject({ replicas: 2, podManagementPolicy: 'Parallel' })
    const [claim] = statefulSet.spec.volumeClaimTemplates
    expect(claim.spec.accessModes).toEqual(['ReadWriteOnce'])
    expect(container.volumeMounts).toContainEqual({ name: claim.metadata.name, mountPath: DATA })
  })

  test('every setting that holds a secret comes from the Secret, as a file', () => {
    const [volume] = pod.volumes
    const mountPath = '/run/secrets/snaphook'
    expect(container.volumeMounts).toContainEqual({ name: volume.name, mountPath, readOnly: true })
    expect(volume.secret.secretName).toBe('snaphook')
    // The store is the one on the volume, as the image has it: a path, and no secret.
    const names = SECRET_NAMES.filter((name) => name !== 'SNAPHOOK_STORE')
    const items = volume.secret.items.map(({ key, path }: Manifest) => [key, path])
    expect(items.toSorted()).toEqual(names.map((name) => [name, name]).toSorted())
    const own = container.env.filter(({ name }: Manifest) => name.startsWith('SNAPHOOK_'))
    const files = own.map(({ name, value }: Manifest) => [name, value])
    expect(files.toSorted()).toEqual(
      names.map((name) => [`${name}_FILE`, `${mountPath}/${name}`]).toSorted(),
    )
    expect(Object.keys(settings).filter((name) => SECRET_NAMES.includes(name))).toEqual([])
  })

  test('one Service has each of the components, so that a monitor finds each pod once', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service')
    const monitor = parse(textOf('deploy/kubernetes/prometheus-operator/service-monitor.yaml'))
    const { matchLabels } = monitor.spec.selector
    const found = services.filter(({ metadata }) =>
      Object.entries(matchLabels).every(([name, value]) => metadata.labels[name] === value),
    )
    expect(found.map(({ metadata }) => metadata.name)).toEqual([statefulSet.spec.serviceName])
    const [endpoint] = monitor.spec.endpoints
    expect(found[0].spec.ports.map(({ name }: Manifest) => name)).toContain(endpoint.port)
    expect(found[0].metadata.labels[monitor.spec.jobLabel]).toBe('snaphook')
    const components = services.map(({ metadata }) => JSON.stringify(metadata.labels))
    expect(new Set(components).size).toBe(services.length)
  })

  test('the component for the Prometheus operator has the rules of compose: else run npm run docs', () => {
    const path = (name: string) => `deploy/kubernetes/prometheus-operator/${name}`
    const component = parse(textOf(path('kustomization.yaml')))
    expect(component.kind).toBe('Component')
    const files = ['kustomization.yaml', ...component.resources].map(path)
    expect(files.sort()).toEqual(filesBelow('deploy/kubernetes/prometheus-operator'))
    const rule = parse(textOf(path('prometheus-rule.yaml')))
    expect(rule.spec).toEqual(parse(textOf('deploy/prometheus/alerts.yaml')))
    expect(textOf('deploy/kubernetes/kustomization.yaml')).toContain('#   - prometheus-operator')
  })

  test('its variables are settings and credentials, and good ones', async () => {
    const env = container.env as Manifest[]
    const own = env.filter(({ name }) => name.startsWith('SNAPHOOK_'))
    expect(own.map(({ name }) => name).filter((name) => !ENVIRONMENT.includes(name))).toEqual([])
    const advice = await credentialsAdvice()
    for (const { name } of env)
      if (!own.some((each) => each.name === name)) expect(advice).toContain(name)
    const plain = own
      .filter(({ value }) => value !== undefined)
      .map(({ name, value }) => [name, value])
    const { NODE_ENV: _, ...fromImage } = imageEnv
    const config = configFrom({ ...fromImage, ...settings, ...Object.fromEntries(plain) })
    expect(config.secrets).toHaveLength(1)
    expect(config.opsListen.host).toBe('0.0.0.0')
    for (const { name, valueFrom } of env.filter((each) => each.valueFrom !== undefined)) {
      expect(valueFrom.secretKeyRef).toEqual({ name: 'snaphook', key: name, optional: true })
    }
  })

  test('no Service puts variables under our prefix into the environment', () => {
    expect(pod.enableServiceLinks).toBe(false)
  })

  test('ports and probes are those of the code', async () => {
    expect(container.ports).toEqual([
      { name: 'callbacks', containerPort: CALLBACK_PORT },
      { name: 'ops', containerPort: OPS_PORT },
    ])
    const { startupProbe, livenessProbe, readinessProbe } = container
    const paths = [startupProbe, livenessProbe, readinessProbe].map(({ httpGet }) => httpGet)
    expect(paths).toEqual([
      { path: '/healthz', port: 'ops' },
      { path: '/healthz', port: 'ops' },
      { path: '/readyz', port: 'ops' },
    ])
    for (const { path } of paths) expect((await opsApp().request(path)).status).toBe(200)
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThan(
      LOCK_WAIT_SECONDS,
    )
  })

  test('a pod that stops is given the time', () => {
    const pause = container.lifecycle.preStop.sleep.seconds
    expect(pause).toBeGreaterThan(0)
    expect(pod.terminationGracePeriodSeconds).toBeGreaterThan(pause + STOPS_WITHIN_SECONDS)
  })

  test('it may do no more than it needs', () => {
    expect(pod.automountServiceAccountToken).toBe(false)
    expect(pod.securityContext).toMatchObject({
      runAsNonRoot: true,
      runAsUser: USER,
      runAsGroup: USER,
      fsGroup: USER,
      seccompProfile: { type: 'RuntimeDefault' },
    })
    expect(container.securityContext).toEqual({
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    })
    expect(container.resources.limits).toHaveProperty('memory')
    expect(container.resources.requests).toMatchObject({
      cpu: expect.any(String),
      memory: expect.any(String),
    })
  })

  test('the Services lead to the ports, one of them to each replica', () => {
    const ports = (name: string) =>
      named('Service', name).spec.ports.map((each: Manifest) => [each.port, each.targetPort])
    expect(ports('snaphook')).toEqual([[CALLBACK_PORT, 'callbacks']])
    expect(ports('snaphook-ops')).toEqual([[OPS_PORT, 'ops']])
    const { serviceName } = statefulSet.spec
    expect(ports(serviceName)).toEqual([
      [CALLBACK_PORT, 'callbacks'],
      [OPS_PORT, 'ops'],
    ])
    expect(named('Service', serviceName).spec.clusterIP).toBe('None')
  })

  test('everything selects these pods', () => {
    expect(statefulSet.spec.selector.matchLabels).toEqual(labels)
    for (const each of manifests.filter(({ kind }) => kind === 'Service')) {
      expect(each.spec.selector).toEqual(labels)
    }
    expect(named('NetworkPolicy', 'snaphook').spec.podSelector.matchLabels).toEqual(labels)
    expect(named('PodDisruptionBudget', 'snaphook').spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: labels },
    })
  })

  test('callbacks may come from anywhere, the operations port is for monitoring', () => {
    const { policyTypes, ingress } = named('NetworkPolicy', 'snaphook').spec
    expect(policyTypes).toEqual(['Ingress'])
    expect(ingress).toEqual([
      { ports: [{ port: 'callbacks' }] },
      {
        from: [
          { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': 'monitoring' } } },
        ],
        ports: [{ port: 'ops' }],
      },
    ])
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

  test.skipIf(!hasPromtool)('promtool takes them and the configuration', () => {
    const path = (name: string) =>
      fileURLToPath(new URL(`../../deploy/prometheus/${name}`, import.meta.url))
    const run = spawnSync('promtool', ['check', 'config', path('prometheus.yaml')])
    expect(run.stderr.toString()).toBe('')
    expect(run.status).toBe(0)
  })
})
