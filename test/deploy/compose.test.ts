// Compares both compose files with the code: ports, volumes, secrets, permissions, and whom they scrape.
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import packageJson from '../../package.json' with { type: 'json' }
import { configFrom, ENVIRONMENT, opsApp } from './code.ts'
import { envOf, textOf } from './files.ts'
import type { Manifest } from './kustomize.ts'
import {
  CALLBACK_PORT,
  DATA,
  imageEnv,
  OPS_PORT,
  PUBLISHED,
  STOPS_WITHIN_SECONDS,
  USER,
} from './promises.ts'

const { version } = packageJson

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
