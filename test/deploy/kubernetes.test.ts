// Compares the Kubernetes files with the code, for both variants: volumes, and one PostgreSQL.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { SECRET_NAMES } from '../../src/config/environment.ts'
import { configFrom, credentialsAdvice, ENVIRONMENT, opsApp } from './code.ts'
import { filesBelow, textOf } from './files.ts'
import { build, type Manifest } from './kustomize.ts'
import { CALLBACK_PORT, DATA, imageEnv, OPS_PORT, STOPS_WITHIN_SECONDS, USER } from './promises.ts'

/** Before anything listens: the lock of a file is waited for, tables are changed. */
const STARTS_WITHIN_SECONDS = { StatefulSet: 15, Deployment: 120 }
const SECRETS = '/run/secrets/snaphook'
const FOLDER = 'deploy/kubernetes'

const hasKubectl = spawnSync('kubectl', ['kustomize', '--help']).status === 0
const { NODE_ENV: _, ...fromImage } = imageEnv

function variant(name: 'volumes' | 'postgres') {
  const built = build(`${FOLDER}/${name}`)
  const named = (kind: string, of: string): Manifest =>
    built.manifests.find((each) => each.kind === kind && each.metadata.name === of)
  const workload = named('StatefulSet', 'snaphook') ?? named('Deployment', 'snaphook')
  const pod = workload.spec.template.spec
  const [container] = pod.containers
  const [{ configMapRef }] = container.envFrom
  const own: Manifest[] = container.env.filter(({ name: each }: Manifest) =>
    each.startsWith('SNAPHOOK_'),
  )
  const plain = Object.fromEntries(own.map(({ name: each, value }) => [each, value]))
  const settings = built.settings.get(configMapRef.name) ?? {}
  return { ...built, named, workload, pod, container, own, plain, settings }
}

const volumes = variant('volumes')
const postgres = variant('postgres')

describe.each([
  ['volumes', volumes],
  ['postgres', postgres],
])('kubernetes/%s', (name, { manifests, named, workload, pod, container, own, ...rest }) => {
  const labels = workload.spec.template.metadata.labels

  test('takes every file of its own and of the base, and this version', () => {
    const own = (path: string) => path.includes('/base/') || path.includes(`/${name}/`)
    expect(rest.files.toSorted()).toEqual(filesBelow(FOLDER).filter(own))
    expect(container.image).toBe(`registry.example.com/snaphook:${packageJson.version}`)
    expect(textOf(`${FOLDER}/${name}/kustomization.yaml`)).toContain('#   - ../prometheus-operator')
    expect(textOf(`${FOLDER}/${name}/kustomization.yaml`)).toContain(`apply -k ${FOLDER}/${name}`)
  })

  test.skipIf(!hasKubectl)('kubectl builds the same of it', () => {
    const path = fileURLToPath(new URL(`../../${FOLDER}/${name}`, import.meta.url))
    const { stdout, stderr } = spawnSync('kubectl', ['kustomize', path], { encoding: 'utf8' })
    expect(stderr).toBe('')
    const built = parseAllDocuments(stdout.replaceAll(/(snaphook-settings)-\w+/g, '$1'))
      .map((document) => document.toJS())
      .toSorted(byName)
    const [{ configMapRef }] = container.envFrom
    const map = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: configMapRef.name } }
    const ours = [...manifests, { ...map, data: rest.settings }].toSorted(byName)
    expect(built).toEqual(ours)
  })

  test('every setting that holds a secret comes from the Secret, as a file', () => {
    const [volume] = pod.volumes
    expect(container.volumeMounts).toContainEqual({
      ...{ name: volume.name, mountPath: SECRETS, readOnly: true },
    })
    expect(volume.secret.secretName).toBe('snaphook')
    // On a volume the store is a path, as the image has it, and no secret.
    const names = SECRET_NAMES.filter((each) => name === 'postgres' || each !== 'SNAPHOOK_STORE')
    const items = volume.secret.items.map(({ key, path }: Manifest) => [key, path])
    expect(items.toSorted()).toEqual(names.map((each) => [each, each]).toSorted())
    const files = own
      .filter(({ value }) => value !== '')
      .map((each: Manifest) => [each.name, each.value])
    expect(files.toSorted()).toEqual(
      names.map((each) => [`${each}_FILE`, `${SECRETS}/${each}`]).toSorted(),
    )
    expect(Object.keys(rest.settings).filter((each) => SECRET_NAMES.includes(each))).toEqual([])
  })

  test('its variables are settings and credentials, and good ones', async () => {
    const env = container.env as Manifest[]
    expect(own.map((each) => each.name).filter((each) => !ENVIRONMENT.includes(each))).toEqual([])
    expect(Object.keys(rest.settings).filter((each) => !ENVIRONMENT.includes(each))).toEqual([])
    const advice = await credentialsAdvice()
    for (const each of env) if (!own.includes(each)) expect(advice).toContain(each.name)
    const config = configFrom({ ...fromImage, ...rest.settings, ...rest.plain })
    expect(config.secrets).toHaveLength(1)
    expect(config.opsListen.host).toBe('0.0.0.0')
    expect(config.store.kind).toBe(name === 'postgres' ? 'postgres' : 'sqlite')
    for (const { name: each, valueFrom } of env.filter(({ valueFrom }) => valueFrom !== undefined))
      expect(valueFrom.secretKeyRef).toEqual({ name: 'snaphook', key: each, optional: true })
  })

  test('a Service of the same name adds nothing to its environment', () => {
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
    const within = STARTS_WITHIN_SECONDS[workload.kind as 'StatefulSet' | 'Deployment']
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBeGreaterThan(within)
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

  test('one Service has each of the components, so that a monitor finds each pod once', () => {
    const services = manifests.filter(({ kind }) => kind === 'Service')
    const monitor = parse(textOf(`${FOLDER}/prometheus-operator/service-monitor.yaml`))
    const { matchLabels } = monitor.spec.selector
    const found = services.filter(({ metadata }) =>
      Object.entries(matchLabels).every(([label, value]) => metadata.labels[label] === value),
    )
    expect(found.map(({ metadata }) => metadata.name)).toEqual(['snaphook-replicas'])
    const [endpoint] = monitor.spec.endpoints
    expect(found[0].spec.ports.map((each: Manifest) => each.name)).toContain(endpoint.port)
    expect(found[0].metadata.labels[monitor.spec.jobLabel]).toBe('snaphook')
    const components = services.map(({ metadata }) => JSON.stringify(metadata.labels))
    expect(new Set(components).size).toBe(services.length)
  })

  test('the Services lead to the ports, one of them to each replica', () => {
    const ports = (of: string) =>
      named('Service', of).spec.ports.map((each: Manifest) => [each.port, each.targetPort])
    expect(ports('snaphook')).toEqual([[CALLBACK_PORT, 'callbacks']])
    expect(ports('snaphook-ops')).toEqual([[OPS_PORT, 'ops']])
    expect(ports('snaphook-replicas')).toEqual([
      [CALLBACK_PORT, 'callbacks'],
      [OPS_PORT, 'ops'],
    ])
    expect(named('Service', 'snaphook-replicas').spec.clusterIP).toBe('None')
  })

  test('everything selects these pods', () => {
    expect(workload.spec.selector.matchLabels).toEqual(labels)
    for (const each of manifests.filter(({ kind }) => kind === 'Service')) {
      expect(each.spec.selector).toEqual(labels)
    }
    expect(named('NetworkPolicy', 'snaphook').spec.podSelector.matchLabels).toEqual(labels)
    expect(named('PodDisruptionBudget', 'snaphook').spec).toEqual({
      maxUnavailable: 1,
      selector: { matchLabels: labels },
    })
    const [spread] = pod.topologySpreadConstraints
    expect(spread.labelSelector.matchLabels).toEqual(labels)
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

describe('kubernetes with volumes', () => {
  const { workload, container, named, settings, plain } = volumes

  test('two replicas that start together, a volume each, one secret', () => {
    expect(workload.spec).toMatchObject({ replicas: 2, podManagementPolicy: 'Parallel' })
    const [claim] = workload.spec.volumeClaimTemplates
    expect(claim.spec.accessModes).toEqual(['ReadWriteOnce'])
    expect(container.volumeMounts).toContainEqual({ name: claim.metadata.name, mountPath: DATA })
    expect(named('Service', workload.spec.serviceName)).toBeDefined()
  })

  test('no replica takes the events of the other for missing', () => {
    expect(configFrom({ ...fromImage, ...settings, ...plain }).auditIntervalMs).toBeUndefined()
  })
})

describe('kubernetes on PostgreSQL', () => {
  const { workload, container, pod, named, settings, plain } = postgres

  test('no volume but of secrets: whatever a pod has is in the database', () => {
    expect(workload.kind).toBe('Deployment')
    expect(workload.spec).not.toHaveProperty('volumeClaimTemplates')
    expect(pod.volumes.map(({ name: _, ...volume }: Manifest) => Object.keys(volume))).toEqual([
      ['secret'],
      ['configMap'],
    ])
    for (const { readOnly } of container.volumeMounts) expect(readOnly).toBe(true)
    // The log is one: the audit is on, and one of them audits.
    expect(configFrom({ ...fromImage, ...settings, ...plain }).auditIntervalMs).toBeGreaterThan(0)
  })

  test('the number of replicas is left to the autoscaler, which goes by what they ask for', () => {
    expect(workload.spec).not.toHaveProperty('replicas')
    const { spec } = named('HorizontalPodAutoscaler', 'snaphook')
    const { apiVersion, kind, metadata } = workload
    expect(spec.scaleTargetRef).toEqual({ apiVersion, kind, name: metadata.name })
    expect(spec.minReplicas).toBeGreaterThanOrEqual(2)
    expect(spec.maxReplicas).toBeGreaterThan(spec.minReplicas)
    for (const { resource } of spec.metrics) {
      expect(container.resources.requests).toHaveProperty(resource.name)
    }
  })

  test('a new release takes no replica away before another is ready', () => {
    expect(workload.spec.strategy.rollingUpdate).toEqual({ maxUnavailable: 0, maxSurge: 1 })
    const code = textOf('src/store/postgres/postgres-store.ts')
    const [, migrateMs = ''] = /MIGRATE_DEADLINE_MS = ([\d_]+)/.exec(code) ?? []
    expect(Number(migrateMs.replaceAll('_', '')) / 1_000).toBe(STARTS_WITHIN_SECONDS.Deployment)
  })

  test('the pod is the one with volumes in all else', () => {
    const common = ({ pod: { volumes: _, ...spec }, container: of }: typeof volumes) => {
      const { env, volumeMounts, startupProbe, resources, ...same } = of
      const own = env.filter(({ name }: Manifest) => !name.startsWith('SNAPHOOK_STORE'))
      const { fsGroupChangePolicy, ...security } = spec.securityContext
      return { ...spec, securityContext: security, containers: [{ ...same, env: own }] }
    }
    expect(common(postgres)).toEqual(common(volumes))
  })
})

test('the component for the Prometheus operator has the rules of compose: else run npm run docs', () => {
  const path = (name: string) => `${FOLDER}/prometheus-operator/${name}`
  const component = parse(textOf(path('kustomization.yaml')))
  expect(component.kind).toBe('Component')
  const files = ['kustomization.yaml', ...component.resources].map(path)
  expect(files.sort()).toEqual(filesBelow(`${FOLDER}/prometheus-operator`))
  const rule = parse(textOf(path('prometheus-rule.yaml')))
  expect(rule.spec).toEqual(parse(textOf('deploy/prometheus/alerts.yaml')))
})

function byName(a: Manifest, b: Manifest): number {
  const name = ({ kind, metadata }: Manifest) => `${kind} ${metadata.name}`
  return name(a).localeCompare(name(b), 'en')
}
