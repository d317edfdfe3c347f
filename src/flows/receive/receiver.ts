// Receives a callback: cheap checks, then the signature, then the body, then the store. The answer
// is a closed set of outcomes; what each looks like on the wire is decided in `http`.

import type { CallbackOutcome } from '../../core/events/callback.ts'
import { understand } from '../../core/events/callback.ts'
import { eventOf } from '../../core/events/snapshot-event.ts'
import type { AcceptedKey } from '../../core/keys/accepted-keys.ts'
import type { KeyId } from '../../core/keys/key-ring.ts'
import { checkTimestamp, findSigner, type Signer as SignerOf } from '../../core/keys/signature.ts'
import { throwBug, unlessBug } from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Log } from '../../ports/log.ts'
import type { ReceiverMetrics } from '../../ports/metrics.ts'
import type { EventLog } from '../../ports/store.ts'
import { createFrequentTrouble } from '../fault-log.ts'

/** Far above any sane snapshot message, and small enough to hold thousands in memory. */
export const MAX_BODY_BYTES = 64 * 1024
/**
 * The provider gives up after 5 s (docs/provider.md#delivery): a look must leave time to store and
 * to answer.
 */
const LOOK_WAIT_MS = 2_500
/** Callbacks of one domain that may wait for a look; a flood of bad signatures stops here. */
const MAX_WAITING_PER_DOMAIN = 64

export type CallbackRequest = {
  readonly domain: string
  readonly method: string
  /** The declared length, or undefined where none is declared. */
  readonly contentLength: number | undefined
  readonly timestamp: string | undefined
  readonly signature: string | undefined
  /** Called at most once, and only after the signature was found good. */
  readBody(): Promise<Uint8Array | 'too_large' | 'aborted'>
}

/** What the receiver needs to know of keys; the ring keeper and the registrar provide it. */
export interface KeySource {
  /** What a callback may be signed for, the likeliest first. */
  hosts(domain: string): readonly string[]
  /** `known`: whether the domain's key in force is known. */
  accepted(domain: string): { readonly known: boolean; readonly keys: readonly AcceptedKey[] }
  /**
   * Looks for a key that was set elsewhere. Resolves when the look has ended, however it ended;
   * undefined when it is too soon for another look.
   */
  look(domain: string): Promise<void> | undefined
  /**
   * Whether the last look did not get to see the provider: an unknown key may then be in force by now.
   */
  isUnsure(domain: string): boolean
  /** Keys to be tried after a look that was to no avail; none where the provider shows its key. */
  beyond(domain: string): readonly AcceptedKey[]
  /** Has one of these accepted from now on. */
  learn(domain: string, id: KeyId): Promise<void>
  noteUse(domain: string, id: KeyId): void
  /** A callback was signed for this host: it is a likely one from now on. */
  noteHost(domain: string, host: string): void
  noteUnsigned(domain: string): void
}

type Signed = { readonly timestamp: string; readonly signature: string }
type Signer = SignerOf<AcceptedKey>
type Found = Signer | 'no_key' | 'bad_signature'

export type Receiver = { receive(request: CallbackRequest): Promise<CallbackOutcome> }

export function createReceiver(deps: {
  domains: readonly string[]
  /** How old or early a callback may be, in seconds; undefined switches the check off. */
  skewSeconds: number | undefined
  keys: KeySource
  events: Pick<EventLog, 'append'>
  clock: Clock
  metrics: ReceiverMetrics
  log: Log
}): Receiver {
  const { skewSeconds, keys, events, clock, metrics, log } = deps
  const domains = new Set(deps.domains)
  const waiting = new Map<string, number>()
  const trouble = createFrequentTrouble(
    {
      begun: 'callbacks are refused, since the store fails',
      over: 'the store takes events again',
    },
    { log, clock },
  )

  async function receive(request: CallbackRequest): Promise<CallbackOutcome> {
    const receivedAt = clock.now()
    const begunAt = clock.elapsed()
    const known = domains.has(request.domain)
    const outcome = known ? await judge(request, receivedAt) : 'unknown_domain'
    const seconds = (clock.elapsed() - begunAt) / 1000
    metrics.callback(known ? request.domain : 'other', outcome, seconds)
    if (outcome !== 'accepted')
      log.debug('callback not accepted', { domain: request.domain, outcome })
    return outcome
  }

  async function judge(request: CallbackRequest, receivedAt: number): Promise<CallbackOutcome> {
    const { domain, timestamp, signature } = request
    if (request.method !== 'POST') return 'method'
    if ((request.contentLength ?? 0) > MAX_BODY_BYTES) return 'too_large'
    if (timestamp === undefined || signature === undefined) {
      if (timestamp === undefined && signature === undefined) keys.noteUnsigned(domain)
      return 'missing_header'
    }
    const signedAt = checkTimestamp(timestamp, receivedAt / 1000, skewSeconds)
    if (typeof signedAt === 'string') return signedAt
    const found = await findKey(domain, { timestamp, signature })
    if (typeof found === 'string') return found
    const { key: signer, host } = found
    keys.noteHost(domain, host)
    metrics.verified(domain, signer.role, receivedAt / 1000 - signedAt)
    keys.noteUse(domain, signer.id)
    const body = await request.readBody()
    if (typeof body === 'string') return body
    return keep({ domain, timestamp, body, receivedAt })
  }

  async function findKey(domain: string, callback: Signed): Promise<Found> {
    const first = verify(domain, callback, false)
    if (first !== 'bad_signature') return first
    const inLine = waiting.get(domain) ?? 0
    if (inLine >= MAX_WAITING_PER_DOMAIN) return refusal(domain)
    const look = keys.look(domain)
    if (look === undefined) return refusal(domain)
    waiting.set(domain, inLine + 1)
    const hasEnded = await withinLookWait(look)
    waiting.set(domain, (waiting.get(domain) ?? 1) - 1)
    const again = verify(domain, callback, true)
    if (typeof again !== 'string') return again
    const beyond = await findBeyond(domain, callback)
    if (beyond !== undefined) return beyond
    return again === 'bad_signature' && hasEnded ? refusal(domain) : 'no_key'
  }

  /** The provider gives up what is refused: only a callback that could be judged is told so. */
  function refusal(domain: string): 'no_key' | 'bad_signature' {
    return keys.isUnsure(domain) ? 'no_key' : 'bad_signature'
  }

  /** As seldom as a look, so that bad signatures cost no more than that. */
  async function findBeyond(domain: string, callback: Signed): Promise<Signer | undefined> {
    const signer = findSigner(callback, keys.hosts(domain), keys.beyond(domain), true)
    if (signer === undefined) return undefined
    // A store that fails has this callback refused further on, and tells.
    await keys.learn(domain, signer.key.id).catch(unlessBug(undefined))
    return signer
  }

  function verify(domain: string, callback: Signed, isThorough: boolean): Found {
    const { known, keys: accepted } = keys.accepted(domain)
    const signer = findSigner(callback, keys.hosts(domain), accepted, isThorough)
    return signer ?? (known ? 'bad_signature' : 'no_key')
  }

  /** Resolves with whether the look has ended in time. */
  async function withinLookWait(look: Promise<void>): Promise<boolean> {
    const enough = new AbortController()
    const late = clock.sleep(LOOK_WAIT_MS, enough.signal).then(() => false)
    const hasEnded = await Promise.race([look.then(() => true), late])
    enough.abort()
    return hasEnded
  }

  async function keep(callback: Parameters<typeof eventOf>[0]): Promise<CallbackOutcome> {
    const understood = understand(callback.body, callback.domain, callback.receivedAt)
    try {
      const { duplicate } = await events.append(eventOf(callback, understood), understood)
      trouble.passed()
      if (duplicate) return 'duplicate'
      metrics.flagged(callback.domain, understood.flags)
      return 'accepted'
    } catch (error) {
      throwBug(error)
      trouble.met(error.message)
      return error.code === 'store_overloaded' ? 'overloaded' : 'store_failed'
    }
  }

  return { receive }
}
