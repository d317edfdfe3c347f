// Hand-written stand-ins for what the flows need of the world.
import type { Observed } from '../../../src/core/registration/observation.ts'
import type { Registration } from '../../../src/core/registration/registration.ts'
import { type FaultCode, ServiceError } from '../../../src/errors.ts'
import type { LiveApi } from '../../../src/ports/live-api.ts'
import type { Log } from '../../../src/ports/log.ts'
import type { RegistrarMetrics, RingMetrics } from '../../../src/ports/metrics.ts'

export type LogLine = {
  level: keyof Log
  message: string
  fields: Readonly<Record<string, unknown>>
}

/** A log that keeps its lines. */
export function keptLog(): Log & { lines: LogLine[]; story(): string[] } {
  const lines: LogLine[] = []
  const at =
    (level: keyof Log): Log['info'] =>
    (message, fields = {}) => {
      lines.push({ level, message, fields })
    }
  return {
    lines,
    /** What an operator reads at `info`. */
    story: () => lines.filter(({ level }) => level !== 'debug').map(({ message }) => message),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  }
}

/** The provider, as far as the registrar sees it: one configuration per domain. */
export function fakeApi(now: () => number) {
  const configurations = new Map<string, Observed>()
  const shown = new Map<string, { until: number; observed: Observed }>()
  const calls: {
    operation: 'describe' | 'add' | 'update' | 'remove'
    domain: string
    at: number
  }[] = []
  const faults: { operation: string; code: FaultCode; times: number }[] = []

  function call(operation: 'describe' | 'add' | 'update' | 'remove', domain: string): void {
    calls.push({ operation, domain, at: now() })
    const fault = faults.find((each) => each.operation === operation && each.times > 0)
    if (fault === undefined) return
    fault.times -= 1
    throw new ServiceError(`${operation} fails (${fault.code})`, { code: fault.code })
  }

  function write(domain: string, { url, key }: Registration): void {
    const before = configurations.get(domain) ?? { kind: 'absent' as const }
    if (fake.lagMs > 0) shown.set(domain, { until: now() + fake.lagMs, observed: before })
    configurations.set(domain, { kind: 'present', url, auth: true, key })
    if (fake.lostAnswers === 0) return
    fake.lostAnswers -= 1
    throw new ServiceError('the answer is lost', { code: 'api_unavailable' })
  }

  const api: LiveApi = {
    async describe(domain) {
      call('describe', domain)
      const lagging = shown.get(domain)
      const observed = configurations.get(domain) ?? { kind: 'absent' as const }
      const seen = lagging && now() < lagging.until ? lagging.observed : observed
      return seen.kind === 'present' ? { ...seen, key: fake.show(seen.key) } : seen
    },
    async add(domain, registration) {
      call('add', domain)
      if (configurations.has(domain)) {
        throw new ServiceError('exists', { code: 'api_config_exists' })
      }
      write(domain, registration)
    },
    async update(domain, registration) {
      call('update', domain)
      if (!configurations.has(domain)) {
        throw new ServiceError('not found', { code: 'api_config_not_found' })
      }
      write(domain, registration)
    },
    async remove(domain) {
      call('remove', domain)
      configurations.delete(domain)
    },
  }
  const fake = {
    api,
    calls,
    faults,
    configurations,
    lagMs: 0,
    /** So many writes take effect and are answered with a fault. */
    lostAnswers: 0,
    show: (key: string | null): string | null => key,
    /** Whether it fails, lags, or still shows what was there before. */
    isTroubled: (): boolean =>
      fake.lagMs > 0 ||
      fake.lostAnswers > 0 ||
      faults.some(({ times }) => times > 0) ||
      [...shown.values()].some(({ until }) => now() < until),
    /** From now on it does what is asked, and shows it. */
    calm(): void {
      fake.lagMs = 0
      fake.lostAnswers = 0
      faults.length = 0
      shown.clear()
    },
    count: (operation: string) => calls.filter((each) => each.operation === operation).length,
  }
  return fake
}

/** Registrar metrics that keep the last state, and every change, of each domain. */
export function keptMetrics() {
  const states = new Map<string, string>()
  const changes: string[] = []
  const generations = new Map<string, number>()
  const lastCallbacks = new Map<string, number>()
  const metrics: RegistrarMetrics & RingMetrics = {
    registration: (domain, state) => states.set(domain, state),
    changed: (_domain, change) => changes.push(change),
    keyInForce: (domain, generation) => generations.set(domain, generation),
    lastCallback: (domain, at) => lastCallbacks.set(domain, at),
  }
  return { metrics, states, changes, generations, lastCallbacks }
}
