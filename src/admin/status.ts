// What the store knows, for `status`. A key is named by its generation, never shown.

import { type Overrides, withDefaults } from '../app/overrides.ts'
import { knownSecrets } from '../app/secrets.ts'
import { readStore } from '../app/stores.ts'
import type { Config } from '../config/config.ts'
import type { GapReason } from '../core/audit/state.ts'
import { lagOf } from '../core/delivery/lag.ts'
import { type KeyRole, roleOf } from '../core/keys/accepted-keys.ts'
import { EMPTY_RING, keyText, type Ring, shownGeneration } from '../core/keys/key-ring.ts'
import type { Secret } from '../core/keys/notify-key.ts'
import { storeName } from '../core/store-place.ts'
import type { AuditRecord, Backfill } from '../ports/audit.ts'
import type { Replay } from '../ports/replays.ts'
import type { Store } from '../ports/store.ts'
import type { SharingView } from '../ports/views.ts'

export type KeyStatus = {
  /** -1 foreign. */
  readonly generation: number
  /** `no_secret`: it derives from a secret that is not given any more, and is not accepted. */
  readonly role: KeyRole | 'no_secret'
  /** When it was first seen or, if it came in force later, since when it is; ISO 8601. */
  readonly seenAt: string
  /** Receiving time since its last use, or since it was last in force, in seconds. */
  readonly unusedSeconds: number
}

export type DomainStatus = {
  readonly domain: string
  readonly url: string | null
  /** -1 foreign; null unknown. */
  readonly generation: number | null
  /** Those that were seen in force or in use, the last used first. */
  readonly keys: readonly KeyStatus[]
  readonly released: boolean
  /** When the last callback came, ISO 8601. */
  readonly lastCallbackAt: string | null
  /** Unsigned callbacks refused since the first registration. */
  readonly unsigned: number
}

export type StoreStatus = {
  readonly path: string
  /** ISO 8601. */
  readonly readAt: string
  readonly events: number
  readonly lastSeq: number
  readonly domains: readonly DomainStatus[]
  readonly sinks: readonly {
    readonly name: string
    readonly lag: number
    readonly deadLetters: number
    /** Not, where it was taken out: its cursor is kept. */
    readonly inSettings: boolean
  }[]
  /** The latest, the last one first. */
  readonly replays: readonly ReplayStatus[]
  /** How far the audit has come, for the domains that it knows. */
  readonly audits: readonly AuditStatus[]
  /** Those under way, then the latest. */
  readonly backfills: readonly BackfillStatus[]
  /** Of a shared store alone. */
  readonly sharing?: SharingView
}

export type AuditStatus = {
  readonly domain: string
  /** ISO 8601. */
  readonly auditedUntil: string
  readonly isDoubtful: boolean
  /** What was not filled or not looked at, the last one first. */
  readonly gaps: readonly {
    readonly from: string
    readonly until: string
    readonly reason: GapReason
    readonly missed: number
  }[]
}

export type BackfillStatus = {
  readonly number: number
  readonly domain: string
  readonly stream: string | null
  readonly state: 'under_way' | 'done' | 'cancelled'
  /** ISO 8601. */
  readonly requestedAt: string
  readonly from: string
  readonly until: string
  /** The share of the time that it is about, from 0 to 1. */
  readonly done: number
  readonly listed: number
  readonly missed: number
  readonly filled: number
  readonly problem: string | null
}

export type ReplayStatus = {
  readonly number: number
  readonly sink: string
  readonly state: 'under_way' | 'done' | 'cancelled'
  /** ISO 8601. */
  readonly requestedAt: string
  readonly delivered: number
  readonly rejected: number
  /** Events that it has still to look at, at most. */
  readonly left: number
}

/** What the store knows, or null where there is no store yet. */
export async function readStatus(
  config: Config,
  overrides: Overrides,
): Promise<StoreStatus | null> {
  const { clock } = withDefaults(overrides)
  const secrets = knownSecrets(config)
  return readStore(config, overrides, async (store) => {
    const readAt = new Date(clock.now()).toISOString()
    const stats = await store.stats()
    const { events, lastSeq } = stats
    const domains = await Promise.all(
      config.domains.map((domain) => readDomain(store, secrets, domain)),
    )
    const [cursors, letters] = await Promise.all([store.listCursors(), store.countDeadLetters()])
    const configured = config.sinks.map(({ name }) => name)
    const names = new Set([...configured, ...cursors.map(({ sink }) => sink), ...letters.keys()])
    const sinks = [...names].map((name) => ({
      name,
      lag: lagOf(cursors.find(({ sink }) => sink === name)?.seq ?? 0, stats),
      deadLetters: letters.get(name) ?? 0,
      inSettings: configured.includes(name),
    }))
    const replays = (await store.listReplays()).map(replayStatus)
    const audits = await Promise.all(config.domains.map((domain) => store.loadAudit(domain)))
    const backfills = (await store.listBackfills()).map(backfillStatus)
    const sharing = await store.readSharing?.()
    return {
      ...{
        path: storeName(config.store),
        readAt,
        events,
        lastSeq,
        domains,
        sinks,
        replays,
        backfills,
      },
      ...(sharing !== undefined && { sharing }),
      audits: audits.flatMap((record) => (record === null ? [] : [auditStatus(record)])),
    }
  })
}

function auditStatus({ domain, auditedUntil, isDoubtful, gaps }: AuditRecord): AuditStatus {
  return {
    ...{ domain, isDoubtful, auditedUntil: iso(auditedUntil) },
    gaps: gaps.map(({ from, until, ...gap }) => ({ from: iso(from), until: iso(until), ...gap })),
  }
}

function backfillStatus(backfill: Backfill): BackfillStatus {
  const { id, domain, stream, requestedAt, from, until, doneUntil, endedAt, cancelled } = backfill
  const { listed, missed, filled, problem } = backfill
  const ended = cancelled ? 'cancelled' : 'done'
  return {
    ...{ number: id, domain, stream, state: endedAt === null ? 'under_way' : ended },
    ...{ requestedAt: iso(requestedAt), from: iso(from), until: iso(until) },
    done: (doneUntil - from) / (until - from),
    ...{ listed, missed, filled, problem },
  }
}

function iso(ms: number): string {
  return new Date(ms).toISOString()
}

function replayStatus(replay: Replay): ReplayStatus {
  const { id, sink, requestedAt, endedAt, cancelled, delivered, rejected, lookedUpTo, lastSeq } =
    replay
  const ended = cancelled ? 'cancelled' : 'done'
  return {
    number: id,
    sink,
    state: endedAt === null ? 'under_way' : ended,
    requestedAt: new Date(requestedAt).toISOString(),
    delivered,
    rejected,
    left: endedAt === null ? lastSeq - lookedUpTo : 0,
  }
}

async function readDomain(
  store: Store,
  secrets: readonly Secret[],
  domain: string,
): Promise<DomainStatus> {
  const ring = (await store.loadRing(domain))?.ring ?? EMPTY_RING
  const { lastCallbackAt, unsigned } = await store.loadTally(domain)
  const { current, confirmedUrl, released } = ring
  return {
    domain,
    url: confirmedUrl,
    generation: current && shownGeneration(current),
    keys: keysOf(ring, { domain, secrets, receiving: await store.loadReceivingTime() }),
    released,
    lastCallbackAt: lastCallbackAt === null ? null : new Date(lastCallbackAt).toISOString(),
    unsigned,
  }
}

function keysOf(
  ring: Ring,
  known: { domain: string; secrets: readonly Secret[]; receiving: number },
): KeyStatus[] {
  const { domain, secrets, receiving } = known
  return ring.keys
    .toSorted((a, b) => b.usedAt - a.usedAt)
    .map(({ id, seenAt, usedAt }) => ({
      generation: shownGeneration(id),
      role: keyText(id, secrets, domain) === undefined ? 'no_secret' : roleOf(id, ring, secrets),
      seenAt: new Date(seenAt).toISOString(),
      unusedSeconds: Math.max(0, Math.round(receiving - usedAt)),
    }))
}
