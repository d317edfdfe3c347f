// The deploy files as a whole, and the settings that an installation begins with.
import { describe, expect, test } from 'vitest'
import { configFrom, credentialsAdvice, ENVIRONMENT } from './code.ts'
import { envOf, filesBelow, textOf } from './files.ts'

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
