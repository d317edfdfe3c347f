// `status`: what the store knows, and what a running service says of itself.
import { readStore, type StoreStatus } from '../one-off/read-store.ts'
import { EXIT, type Shell, table, withConfig } from './shell.ts'

/** A service on the same machine answers at once, or not at all. */
const READYZ_TIMEOUT_MS = 4_000
/** Listening there means everywhere; one asks at loopback. */
const ANY_ADDRESS = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

type ServiceStatus = {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly registrations: readonly {
    domain: string
    state: string
    unsigned: number
    detail: string | null
  }[]
}

export function runStatus(shell: Shell, { json }: { json?: true }): Promise<number> {
  return withConfig(shell, async (config) => {
    const [store, service] = await Promise.all([
      readStore(config),
      askService(readyzUrl(config.opsListen)),
    ])
    if (json) shell.print(JSON.stringify({ store, service }, null, 2))
    else shell.print([...storeLines(store, config.storePath), ...serviceLines(service)].join('\n'))
    return EXIT.done
  })
}

function readyzUrl({ host, port }: { host: string; port: number }): string {
  const reached = ANY_ADDRESS.get(host) ?? host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/readyz`
}

async function askService(url: string): Promise<ServiceStatus | null> {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(READYZ_TIMEOUT_MS) })
    const answer = (await response.json()) as Partial<ServiceStatus> | null
    const isOurs = Array.isArray(answer?.reasons) && Array.isArray(answer.registrations)
    return isOurs ? (answer as ServiceStatus) : null
  } catch {
    return null
  }
}

function storeLines(store: StoreStatus | null, path: string): string[] {
  if (store === null) return [`store    ${path}: not there yet; serve makes it`]
  const domains = store.domains.map(({ domain, url, generation, keySeenAt }) => [
    domain,
    url ?? 'never registered',
    generation === null ? 'unknown' : generation === -1 ? 'foreign' : String(generation),
    keySeenAt ?? '-',
  ])
  const sinks = store.sinks.map(({ name, lag, deadLetters, inSettings }) => [
    name,
    String(lag),
    String(deadLetters),
    inSettings ? '' : 'not in the settings; its cursor is kept',
  ])
  return [
    `store    ${path}: ${store.events} events, the last one ${store.lastSeq}`,
    '',
    table(['DOMAIN', 'REGISTERED', 'KEY', 'KEY SEEN FIRST'], domains),
    '',
    table(['SINK', 'LAG', 'DEAD LETTERS', ''], sinks),
    '',
  ]
}

function serviceLines(service: ServiceStatus | null): string[] {
  if (service === null) return ['service  not running here']
  const readiness = service.ready ? 'ready' : `not ready: ${service.reasons.join('; ')}`
  const rows = service.registrations.map(({ domain, state, unsigned, detail }) => [
    domain,
    state,
    String(unsigned),
    detail ?? '',
  ])
  return [`service  ${readiness}`, '', table(['DOMAIN', 'STATE', 'UNSIGNED', 'DETAIL'], rows)]
}
