// `status`: what the store knows, and what a running service says of itself.

import { type DomainStatus, readStatus, type StoreStatus } from '../../admin/status.ts'
import { showDuration } from '../../core/duration.ts'
import { printableJson } from '../../core/printable.ts'
import { command } from '../command.ts'
import { EXIT, type Shell, showGeneration, table, withConfig } from '../shell.ts'

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
  readonly store: string
  readonly registrations: readonly {
    domain: string
    state: string
    detail: string | null
    foundUrl: string | null
  }[]
  readonly sinks: readonly {
    name: string
    state: string
    lag: number
    batchSize: number
    detail: string | null
  }[]
}

export const STATUS = command({
  name: 'status',
  description: 'show what the store knows and what a running service says',
  define: (status) => status.option('--json', 'print JSON'),
  run: runStatus,
})

function runStatus(shell: Shell, { json }: { json?: true }): Promise<number> {
  return withConfig(shell, async (config, overrides) => {
    const [store, service] = await Promise.all([
      readStatus(config, overrides),
      askService(readyzUrl(config.opsListen)),
    ])
    if (json) shell.print(printableJson({ store, service }, 2))
    else {
      const lines = [...storeLines(store, config.storePath), ...serviceLines(service)]
      shell.print(lines.join('\n'))
    }
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
    const isOurs = [answer?.reasons, answer?.registrations, answer?.sinks].every(Array.isArray)
    return isOurs ? (answer as ServiceStatus) : null
  } catch {
    return null
  }
}

function storeLines(store: StoreStatus | null, path: string): string[] {
  if (store === null) return [`store    ${path}: not there yet; serve makes it`]
  const now = Date.parse(store.readAt)
  const domains = store.domains.map((each) => [
    each.domain,
    each.released ? 'deregistered' : (each.url ?? 'never registered'),
    showGeneration(each.generation),
    each.lastCallbackAt === null ? 'never' : `${ageOf(each.lastCallbackAt, now)} ago`,
    String(each.unsigned),
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
    table(['DOMAIN', 'REGISTERED', 'KEY', 'LAST CALLBACK', 'UNSIGNED'], domains),
    '',
    table(
      ['DOMAIN', 'KEY', 'ROLE', 'AGE', 'UNUSED FOR'],
      store.domains.flatMap((each) => keyRows(each, now)),
    ),
    '',
    table(['SINK', 'LAG', 'DEAD LETTERS', ''], sinks),
    '',
    ...replayLines(store.replays),
  ]
}

function replayLines(replays: StoreStatus['replays']): string[] {
  if (replays.length === 0) return []
  const rows = replays.map(({ number, sink, state, requestedAt, delivered, rejected, left }) => [
    ...[String(number), sink, state, requestedAt],
    ...[delivered, rejected, left].map(String),
  ])
  const heading = ['REPLAY', 'SINK', 'STATE', 'REQUESTED', 'DELIVERED', 'REJECTED', 'LEFT']
  return [table(heading, rows), '']
}

function keyRows({ domain, keys }: DomainStatus, now: number): string[][] {
  return keys.map(({ generation, role, seenAt, unusedSeconds }) => [
    domain,
    showGeneration(generation),
    role,
    ageOf(seenAt, now),
    showDuration(unusedSeconds * 1_000),
  ])
}

function ageOf(time: string, now: number): string {
  return showDuration(now - Date.parse(time))
}

function serviceLines(service: ServiceStatus | null): string[] {
  if (service === null) return ['service  not running here']
  const readiness = service.ready ? 'ready' : `not ready: ${service.reasons.join('; ')}`
  const registrations = service.registrations.map(({ domain, state, detail, foundUrl }) => [
    domain,
    state,
    foundUrl ?? '',
    detail ?? '',
  ])
  const sinks = service.sinks.map(({ name, state, lag, batchSize, detail }) => [
    name,
    state,
    String(lag),
    String(batchSize),
    detail ?? '',
  ])
  return [
    `service  ${readiness}; store ${service.store}`,
    '',
    table(['DOMAIN', 'STATE', 'FOUND', 'DETAIL'], registrations),
    '',
    table(['SINK', 'STATE', 'LAG', 'BATCH', 'DETAIL'], sinks),
  ]
}
