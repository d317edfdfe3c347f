// `status`: what the store knows, and what a running service says of itself.

import { type DomainStatus, readStatus, type StoreStatus } from '../../admin/status.ts'
import { showDuration } from '../../core/duration.ts'
import { printable, printableJson } from '../../core/printable.ts'
import { storeName } from '../../core/store-place.ts'
import { command } from '../command.ts'
import { askService, type ServiceStatus } from '../running-service.ts'
import { EXIT, type Shell, showGeneration, table, withConfig } from '../shell.ts'

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
      askService(config.opsListen),
    ])
    if (json) shell.print(printableJson({ store, service }, 2))
    else {
      const lines = [...storeLines(store, storeName(config.store)), ...serviceLines(service)]
      shell.print(lines.join('\n'))
    }
    return EXIT.done
  })
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
    ...sharingLines(store.sharing),
    ...auditLines(store.audits),
    ...replayLines(store.replays),
    ...backfillLines(store.backfills),
  ]
}

function sharingLines(sharing: StoreStatus['sharing']): string[] {
  if (sharing === undefined) return []
  const { durability, hasStandby, timeline, failovers, partitions, usedBytes, bytesOnDisk } =
    sharing
  const standby = hasStandby ? 'the server names a standby' : 'the server names no standby'
  const replicas = sharing.replicas.map(({ name, version, startedAt, seenSeconds, owns }) => [
    ...[name, version, startedAt, `${seenSeconds} s ago`, owns.join(', ')],
  ])
  return [
    `server   durability ${durability}, ${standby}; timeline ${timeline ?? 'unknown'}, ${failovers} failovers`,
    `log      ${showBytes(usedBytes)} of events and dead letters; ${partitions} partitions, ${showBytes(bytesOnDisk)} on disk`,
    ...(sharing.unowned.length > 0 ? [`no owner ${sharing.unowned.join(', ')}`] : []),
    '',
    table(['REPLICA', 'VERSION', 'SINCE', 'SEEN', 'OWNS'], replicas),
    '',
  ]
}

function showBytes(bytes: number): string {
  return bytes >= 1e9 ? `${(bytes / 1e9).toFixed(1)} GB` : `${(bytes / 1e6).toFixed(1)} MB`
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

function auditLines(audits: StoreStatus['audits']): string[] {
  if (audits.length === 0) return []
  const rows = audits.map(({ domain, auditedUntil, isDoubtful, gaps }) => [
    domain,
    auditedUntil,
    isDoubtful ? 'doubtful' : '',
    gaps.map((gap) => `${gap.reason} from ${gap.from} to ${gap.until}`).join(', '),
  ])
  return [table(['DOMAIN', 'AUDITED UNTIL', '', 'NOT FILLED'], rows), '']
}

function backfillLines(backfills: StoreStatus['backfills']): string[] {
  if (backfills.length === 0) return []
  const rows = backfills.map((each) => [
    ...[String(each.number), each.domain, printable(each.stream ?? ''), each.state],
    ...[`${Math.floor(each.done * 100)} %`, each.listed, each.missed, each.filled].map(String),
    each.problem ?? '',
  ])
  const heading = ['BACKFILL', 'DOMAIN', 'STREAM', 'STATE', 'DONE', 'LISTED', 'MISSED', 'FILLED']
  return [table([...heading, ''], rows), '']
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
  const audits = (service.audits ?? []).map(({ domain, state, missed, filled, detail }) => [
    ...[domain, state, String(missed), String(filled), detail ?? ''],
  ])
  return [
    `service  ${readiness}; store ${service.store}`,
    '',
    table(['DOMAIN', 'STATE', 'FOUND', 'DETAIL'], registrations),
    '',
    table(['SINK', 'STATE', 'LAG', 'BATCH', 'DETAIL'], sinks),
    '',
    table(['DOMAIN', 'AUDIT', 'MISSED', 'FILLED', 'DETAIL'], audits),
  ]
}
