// Keeps groups of events: each one call of a procedure that locks, drops duplicates, numbers on,
// inserts and commits. A group whose fate is not known is sent again: identity makes that safe.

import { setTimeout as pause } from 'node:timers/promises'
import type { NewEvent } from '../../core/events/snapshot-event.ts'
import type { PostgresLocation } from '../../core/store-place.ts'
import type { GroupAnswer, PartFault } from '../write-queue.ts'
import {
  ConnectionLost,
  endsConnection,
  faultOf,
  isContentFault,
  isLockTimeout,
  storeFault,
} from './connection/faults.ts'
import type { Link } from './connection/link.ts'
import { inSchema, syncOf } from './connection/location.ts'
import type { Row } from './connection/session.ts'

/** One call, at most: the lock is held for its whole length. */
const MAX_EVENTS = 1_000
const MAX_BYTES = 4 * 1024 * 1024
/** As long as callbacks wait for their answer. */
const GROUP_DEADLINE_MS = 3_000
const RETRY_MS = 100
const ID = /^[0-9a-f]{64}$/i

export type AppendReport = {
  /** How long the call took, commit included. */
  readonly seconds: number
  /** How many events it took along. */
  readonly events: number
  /** How long it waited for the lock of the log. */
  readonly waitSeconds: number
}

export type Appender = {
  commit(events: readonly NewEvent[]): Promise<Pick<GroupAnswer, 'seqs' | 'duplicates'>>
  /** Takes the lock and flushes, as an append would, without an event. */
  probe(): Promise<void>
  /** When the last call had committed, in `performance.now()`. */
  committedAt(): number
}

type Answer = { readonly seq: number | PartFault; readonly isDuplicate: boolean }

export function createAppender(deps: {
  link: Link
  location: PostgresLocation
  onAppend?: ((report: AppendReport) => void) | undefined
  /** Told of the server's new timeline: the numbers have jumped. */
  onFailover?: ((timeline: string) => void) | undefined
  /** Asked once to free the lock, where a group waited for it in vain. Says who holds it otherwise. */
  freeLock(): Promise<string | null>
}): Appender {
  const { link, location } = deps
  const statement = inSchema(
    location.schema,
    'call @.append_1($1, $2, $3, $4, $5, $6, $7, $8, $9, null, null, null, null)',
  )
  let committedAt = -Infinity

  async function call(events: readonly NewEvent[], isAgain: boolean, deadlineMs: number) {
    const start = performance.now()
    const values = [syncOf(location), isAgain, ...columnsOf(events)]
    const row = await link.run(async (session) => {
      const [answer] = await session.rows(statement, values)
      if (session.isUnsure()) throw new ConnectionLost('a commit was not confirmed by the standby')
      return answer as Row
    }, deadlineMs)
    committedAt = performance.now()
    if (typeof row.failover === 'string') deps.onFailover?.(row.failover)
    const report = { seconds: (committedAt - start) / 1_000, waitSeconds: Number(row.waited) }
    if (events.length > 0) deps.onAppend?.({ ...report, events: events.length })
    return row
  }

  /** One group, again and again until its time is up. */
  async function send(events: readonly NewEvent[]): Promise<Answer[]> {
    const deadline = performance.now() + GROUP_DEADLINE_MS
    for (let isAgain = false, isFreed = false; ; ) {
      const left = deadline - performance.now()
      try {
        const row = await call(events, isAgain, Math.max(1, left))
        const seqs = row.seqs as string[]
        const fresh = row.fresh as boolean[]
        return events.map((_, n) => ({ seq: Number(seqs[n]), isDuplicate: fresh[n] !== true }))
      } catch (error) {
        if (isContentFault(error)) return refuse(events, error)
        if (isLockTimeout(error) && !isFreed) {
          isFreed = true
          const holder = await deps.freeLock().catch(() => null)
          // Now, while whoever waits for an answer can be told.
          if (holder !== null) throw heldUpFault(location, holder, error)
        } else if (!endsConnection(error)) throw error
        if (performance.now() >= deadline) throw error
        // A server that takes connections and no writes is not to be asked without a pause.
        if (isAgain) await pause(RETRY_MS)
        // It may have been kept all the same.
        isAgain = true
      }
    }
  }

  /** What is in one event must not cost its neighbours: halves, down to the one. */
  async function refuse(events: readonly NewEvent[], error: unknown): Promise<Answer[]> {
    if (events.length === 1) {
      const { code, message } = faultOf(error, location)
      return [{ seq: { code, message }, isDuplicate: false }]
    }
    const half = Math.ceil(events.length / 2)
    return [...(await send(events.slice(0, half))), ...(await send(events.slice(half)))]
  }

  return {
    async commit(events) {
      const malformed: PartFault = { code: 'store_failed', message: 'The event is malformed.' }
      const answers = events.map((): Answer => ({ seq: malformed, isDuplicate: false }))
      const sound = [...events.keys()].filter((n) => isSound(events[n] as NewEvent))
      for (const group of groupsOf(sound, (n) => events[n]?.body.byteLength ?? 0)) {
        const sent = await send(group.map((n) => events[n] as NewEvent)).catch((error: unknown) => {
          const { code, message } = faultOf(error, location)
          return group.map((): Answer => ({ seq: { code, message }, isDuplicate: false }))
        })
        for (const [at, n] of group.entries()) answers[n] = sent[at] as Answer
      }
      return {
        seqs: answers.map(({ seq }) => seq),
        duplicates: answers.map(({ isDuplicate }) => isDuplicate),
      }
    },
    async probe() {
      await send([])
    },
    committedAt: () => committedAt,
  }
}

function heldUpFault(location: PostgresLocation, holder: string, cause: unknown): Error {
  const problem = `is held up: ${holder} has held the lock of the log for long`
  return storeFault(location, problem, 'store_failed', cause)
}

function isSound({ id, receivedAt, occurredAt }: NewEvent): boolean {
  return ID.test(id) && Number.isSafeInteger(receivedAt) && Number.isSafeInteger(occurredAt)
}

function groupsOf(rows: readonly number[], sizeOf: (row: number) => number): number[][] {
  const groups: number[][] = []
  let bytes = 0
  for (const row of rows) {
    const last = groups.at(-1)
    bytes += sizeOf(row)
    if (last !== undefined && last.length < MAX_EVENTS && bytes <= MAX_BYTES) last.push(row)
    else {
      groups.push([row])
      bytes = sizeOf(row)
    }
  }
  return groups
}

/**
 * Bodies and identities each in one value: an array of buffers would go as hexadecimal text. Arrays
 * are written here: the client would take each element for something that may need quotes.
 */
function columnsOf(events: readonly NewEvent[]): unknown[] {
  let end = 0
  return [
    Buffer.from(events.map(({ id }) => id).join(''), 'hex'),
    texts(events.map(({ domain }) => domain)),
    texts(events.map(({ origin }) => origin)),
    numbers(events.map(({ occurredAt }) => occurredAt)),
    numbers(events.map(({ receivedAt }) => receivedAt)),
    Buffer.concat(events.map(({ body }) => body)),
    numbers(
      events.map(({ body }) => {
        end += body.byteLength
        return end
      }),
    ),
  ]
}

function numbers(values: readonly number[]): string {
  return `{${values.join()}}`
}

/** Few differ: each one is quoted once. */
function texts(values: readonly string[]): string {
  const quoted = new Map<string, string>()
  const quote = (value: string): string => {
    const made = `"${value.replace(/["\\]/g, '\\$&')}"`
    quoted.set(value, made)
    return made
  }
  return `{${values.map((value) => quoted.get(value) ?? quote(value)).join()}}`
}
