// Ownership among replicas: one pulse a second renews what is held and claims what is free. The
// database's clock judges; an owner trusts itself for less than the lease, from before it asked.

import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import type { PostgresLocation } from '../../../core/store-place.ts'
import type { Lease, Leases, Peer, ReplicaView } from '../../../ports/leases.ts'
import type { Link } from '../connection/link.ts'
import { inSchema } from '../connection/location.ts'
import { type Balance, balanceOf, isSink } from './balance.ts'
import { createTenures, type TenureNews } from './tenures.ts'

export type LeaseTimes = {
  readonly pulseMs: number
  /** How long a lease lasts from its last renewal. */
  readonly ttlMs: number
  /** How long its owner acts on it, from before it asked: less, by what a clock may be off. */
  readonly trustMs: number
  /** A pulse that takes longer is given up, and the connection with it. */
  readonly deadlineMs: number
  /** How long a replica with more sinks than another leaves a free task to others. */
  readonly patienceMs: number
  /** How often a replica with two sinks more than another gives one back. */
  readonly rebalanceMs: number
  /** How long a sink that is given back may still deliver what it has begun. */
  readonly recallMs: number
}

/** Taken over within 10 s: a lease runs out, and the next pulse of another claims it. */
export const LEASE_TIMES: LeaseTimes = {
  pulseMs: 1_000,
  ttlMs: 6_000,
  trustMs: 5_000,
  deadlineMs: 2_000,
  patienceMs: 1_500,
  rebalanceMs: 60_000,
  recallMs: 500,
}
const RETRY_MS = 250
/** Tasks that are asked for together are claimed together. */
const GATHER_MS = 10

export type LeaseNews = TenureNews & {
  /** After each pulse that was answered. */
  onPulse?(peers: readonly Peer[]): void
  /** Domains that another replica wants looked at; said once for each time it asked. */
  onAsked?(domain: string): void
}

export interface LeaseKeeper extends Leases {
  readonly replica: string
  /** Whether it owns a task whose name begins so. */
  ownsAny(prefix: string): boolean
  /** Hands everything back and leaves. */
  close(): Promise<void>
}

export function createLeaseKeeper(deps: {
  link: Link
  location: PostgresLocation
  name: string
  version: string
  view(): ReplicaView
  /** Told what the server's clock shows, at each pulse; epoch ms. */
  onServerTime?(now: number): void
  times?: LeaseTimes
  news?: LeaseNews
}): LeaseKeeper {
  const { link, location, times = LEASE_TIMES, news = {} } = deps
  const replica = randomUUID()
  const q = (statement: string) => inSchema(location.schema, statement)
  const pulseStatement = q(`
    select @.pulse_2($1, $2, $3, $4, $5, $6, $7, $8) as answer,
      extract(epoch from clock_timestamp())::float8 * 1000 as now
  `)
  const releaseStatement = q('select @.release_1($1)')
  // Expires now instead of long ago: so replicas with more sinks wait for `patienceMs` before they claim it.
  const giveBackStatement = q(
    'update @.leases set expires_at = clock_timestamp() where token = any ($1)',
  )
  const leaveStatement = q('select @.leave_1($1)')
  const wanted = new Map<string, (lease: Lease) => void>()
  const { trustMs, recallMs } = times
  const tenures = createTenures({ trustMs, recallMs, news, handBack })
  const heard = new Map<string, number>()
  const stopping = new AbortController()
  let peers: readonly Peer[] = []
  let lastRebalance = performance.now()
  let running: Promise<void> | undefined
  let wake: AbortController = new AbortController()

  async function handBack(token: string, isRecalled: boolean): Promise<void> {
    const statement = isRecalled ? giveBackStatement : releaseStatement
    await link
      .run((session) => session.rows(statement, [[token]]), times.deadlineMs)
      // It runs out by itself.
      .catch(() => undefined)
  }

  async function pulse(): Promise<void> {
    const sentAt = performance.now()
    const before = new Set(wanted.keys())
    const values = [
      ...[replica, deps.name, deps.version, JSON.stringify(deps.view())],
      tenures.tokens(),
      [...before],
      times.ttlMs,
      balance().hasMore ? times.patienceMs : 0,
    ]
    const [row] = await link.run(
      (session) => session.rows(pulseStatement, values),
      times.deadlineMs,
    )
    const answer = row?.answer as {
      held: Record<string, string>
      peers: Peer[]
      asked: Record<string, number>
    }
    if (sentAt + trustMs <= performance.now()) return
    deps.onServerTime?.(Number(row?.now) + (performance.now() - sentAt) / 2)
    tenures.keep(answer.held)
    tenures.trust(sentAt)
    for (const [task, token] of Object.entries(answer.held)) {
      const deliver = wanted.get(task)
      if (deliver === undefined || !before.has(task) || tenures.has(task)) continue
      wanted.delete(task)
      deliver(tenures.begin(task, token))
    }
    peers = answer.peers
    for (const [domain, at] of Object.entries(answer.asked)) {
      if (heard.get(domain) === at) continue
      heard.set(domain, at)
      news.onAsked?.(domain)
    }
    news.onPulse?.(peers)
    rebalance()
  }

  function balance(): Balance {
    const live = peers.filter((peer) => peer.replica !== replica && peer.seenMs < times.ttlMs)
    return balanceOf(tenures.tasks(), live)
  }

  function rebalance(): void {
    if (performance.now() - lastRebalance < times.rebalanceMs) return
    lastRebalance = performance.now()
    if (!balance().hasTwoMore) return
    const spare = tenures.tasks().find(isSink)
    if (spare !== undefined) tenures.recall(spare)
  }

  async function run(): Promise<void> {
    await pause(GATHER_MS)
    while (!stopping.signal.aborted) {
      wake = new AbortController()
      const ms = await pulse().then(
        () => times.pulseMs,
        () => RETRY_MS,
      )
      const woken = AbortSignal.any([stopping.signal, wake.signal])
      await pause(ms, undefined, { signal: woken }).catch(() => pause(GATHER_MS))
    }
  }

  return {
    replica,
    hold(task, signal) {
      const { promise, resolve } = Promise.withResolvers<Lease | null>()
      const giveUp = () => {
        wanted.delete(task)
        resolve(null)
      }
      if (signal.aborted || stopping.signal.aborted) return Promise.resolve(null)
      signal.addEventListener('abort', giveUp, { once: true })
      stopping.signal.addEventListener('abort', giveUp, { once: true })
      wanted.set(task, (lease) => {
        signal.removeEventListener('abort', giveUp)
        stopping.signal.removeEventListener('abort', giveUp)
        resolve(lease)
      })
      running ??= run()
      wake.abort()
      return promise
    },
    isOwner: tenures.isOwner,
    ownsAny: (prefix) => tenures.tasks().some((task) => task.startsWith(prefix)),
    peers: () => peers,
    async close() {
      stopping.abort()
      await running
      tenures.endAll()
      if (running === undefined) return
      await link
        .run((session) => session.rows(leaveStatement, [replica]), times.deadlineMs)
        .catch(() => undefined)
    },
  }
}
