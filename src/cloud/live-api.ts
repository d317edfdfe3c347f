// The ApsaraVideo Live API through `@alicloud/pop-core`. Always POST: with GET the notify key, the
// STS token and the signature would be in the URL, and so in every error message
// (docs/provider.md#api-client).
// What the package itself loads besides, for the other kind of API, is a parser of XML.
import RPCClient from '@alicloud/pop-core/lib/rpc.js'
import {
  type CallOutcome,
  DESCRIBE_SNAPSHOT_CONFIG,
  OPERATIONS,
  type Operation,
} from '../core/live-operations.ts'
import type { Observed } from '../core/registration/observation.ts'
import type { Registration } from '../core/registration/registration.ts'
import { faultCode, ServiceError } from '../errors.ts'
import type { SnapshotLists } from '../ports/audit.ts'
import type { Clock } from '../ports/clock.ts'
import type { CredentialsProvider } from '../ports/credentials.ts'
import type { IsStill, LiveApi, LiveInspection, SnapshotConfig } from '../ports/live-api.ts'
import { areCredentialsOutdated, refusal, toApiFault, unavailable } from './api-fault.ts'
import { createPacer, type Pacer } from './pacer.ts'
import { agentFor } from './sdk-route.ts'
import { createSnapshotLists } from './snapshot-lists.ts'

/** What the code of every fault of a call begins with; the rest is its `CallOutcome`. */
const API_PREFIX = 'api_'
const API_VERSION = '2016-11-01'
/** For connecting and for reading; pop-core's own 3 s is short for a call across continents. */
const TIMEOUT_MS = 5_000
/** A bound on the whole call, credentials included, whatever the libraries below do. */
const DEADLINE_MS = 15_000

/** The largest page that DescribeLiveSnapshotConfig gives (docs/provider.md#operations). */
const PAGE_SIZE = 30
/** Nobody has more apps with templates of their own; an answer that never ends is not followed. */
const MAX_PAGES = 20

/** The pause between two calls of an operation whose limit is lower than 30 a second: it is 3. */
const PACES: Partial<Record<string, number>> = { DescribeLiveStreamsPublishList: 1_000 }

/** Told of every call that was made, and what it came to. */
export type OnCall = (operation: Operation, outcome: CallOutcome) => void

type AnyOperation = Operation | typeof DESCRIBE_SNAPSHOT_CONFIG
type Answer = Readonly<Record<string, unknown>>

/** The API at `endpoint`. `close` ends its connections, also those that wait for an answer. */
export function createLiveApi(deps: {
  endpoint: string
  credentials: CredentialsProvider
  clock: Clock
  onCall: OnCall
  /** The URL of a proxy that calls go through. */
  proxy?: string | undefined
}): LiveApi & LiveInspection & SnapshotLists & { close(): void } {
  const { endpoint, credentials, clock, onCall } = deps
  // The published types lack credentialsProvider (docs/provider.md#api-client).
  const config = { endpoint, apiVersion: API_VERSION, credentialsProvider: credentials }
  const client = new RPCClient(config as unknown as RPCClient.Config)
  const agent = agentFor(endpoint, deps.proxy)
  const operations: readonly AnyOperation[] = [...OPERATIONS, DESCRIBE_SNAPSHOT_CONFIG]
  const pacers = new Map(
    operations.map((operation) => [operation, createPacer(clock, PACES[operation])]),
  )
  /** How often credentials were asked for anew before their time. */
  let renewed = 0
  const count = (operation: AnyOperation, outcome: CallOutcome): void => {
    if (operation !== DESCRIBE_SNAPSHOT_CONFIG) onCall(operation, outcome)
  }

  async function call(
    operation: AnyOperation,
    params: Record<string, string>,
    signal: AbortSignal,
    isStill?: IsStill,
    isSecondTry = false,
  ): Promise<Answer> {
    const pacer = pacers.get(operation) as Pacer
    const turn = await pacer.turn(signal, isStill)
    const renewedBefore = renewed
    try {
      const answer = await withinDeadline(operation, send(operation, params), signal)
      count(operation, 'ok')
      pacer.noteAnswer(false, turn)
      return answer
    } catch (rejected) {
      const fault = toApiFault(operation, rejected, deps.proxy !== undefined)
      if (fault.code !== 'aborted')
        count(operation, fault.code.slice(API_PREFIX.length) as CallOutcome)
      pacer.noteAnswer(fault.code === 'api_throttled', turn)
      if (isSecondTry || !credentials.renew || !areCredentialsOutdated(rejected)) throw fault
      // Another call may have met the same meanwhile.
      if (renewed === renewedBefore) {
        renewed += 1
        credentials.renew()
      }
      return call(operation, params, signal, isStill, true)
    }
  }

  async function send(operation: AnyOperation, params: Record<string, string>): Promise<Answer> {
    const options = { method: 'POST', timeout: TIMEOUT_MS, agent }
    const answer = await client.request<Answer>(operation, params, options)
    // pop-core ignores the HTTP status: an answer counts only with the provider's own mark.
    if (typeof answer.RequestId === 'string') return answer
    if (typeof answer.Code === 'string') throw refusal(operation, answer.Code)
    throw unavailable(operation, 'the answer has no RequestId; is there a proxy between?')
  }

  async function withinDeadline<T>(
    operation: AnyOperation,
    sending: Promise<T>,
    signal: AbortSignal,
  ): Promise<T> {
    const answered = new AbortController()
    const deadline = AbortSignal.any([signal, answered.signal])
    try {
      const late = clock.sleep(DEADLINE_MS, deadline).then((): never => {
        if (signal.aborted) throw new ServiceError('stopped during the call', { code: 'aborted' })
        throw unavailable(operation, 'timed out')
      })
      return await Promise.race([sending, late])
    } finally {
      answered.abort()
    }
  }

  const write =
    (operation: Operation) =>
    async (
      domain: string,
      { url, auth, key }: Registration,
      signal: AbortSignal,
      isStill?: IsStill,
    ): Promise<void> => {
      // All four, always: whether Update keeps what is left out is not documented
      // (docs/provider.md#operations).
      const params = { DomainName: domain, NotifyUrl: url, NotifyReqAuth: auth, NotifyAuthKey: key }
      await call(operation, params, signal, isStill)
    }

  return {
    async describe(domain, signal) {
      try {
        const params = { DomainName: domain }
        return observedFrom(await call('DescribeLiveSnapshotNotifyConfig', params, signal))
      } catch (fault) {
        if (faultCode(fault) === 'api_config_not_found') return { kind: 'absent' }
        throw fault
      }
    },
    add: write('AddLiveSnapshotNotifyConfig'),
    update: write('UpdateLiveSnapshotNotifyConfig'),
    async remove(domain, signal, isStill) {
      try {
        await call('DeleteLiveSnapshotNotifyConfig', { DomainName: domain }, signal, isStill)
      } catch (fault) {
        if (faultCode(fault) !== 'api_config_not_found') throw fault
      }
    },
    async snapshotConfigs(domain, signal) {
      const configs: SnapshotConfig[] = []
      for (let page = 1; page <= MAX_PAGES; page += 1) {
        const params = { DomainName: domain, PageSize: `${PAGE_SIZE}`, PageNum: `${page}` }
        const answer = await call(DESCRIBE_SNAPSHOT_CONFIG, params, signal)
        const found = snapshotConfigsFrom(answer)
        configs.push(...found)
        // Without the number of pages, one that is not full is the last.
        const pages = Number(answer.TotalPage ?? Number.NaN)
        if (Number.isNaN(pages) ? found.length < PAGE_SIZE : page >= pages) break
      }
      return configs
    },
    ...createSnapshotLists(call),
    close: () => agent.destroy(),
  }
}

/** With nothing configured the provider may answer with an error, or with empty or absent fields. */
function observedFrom(answer: Answer): Observed {
  const url = answer.NotifyUrl
  if (typeof url !== 'string' || url === '') return { kind: 'absent' }
  const auth = /^(yes|true|on)$/i.test(String(answer.NotifyReqAuth))
  return { kind: 'present', url, auth, key: keyFrom(answer.NotifyAuthKey) }
}

/** A key of digits alone may come as a number; pop-core makes a long one a BigNumber. */
function keyFrom(shown: unknown): string | null {
  if (typeof shown === 'string') return shown === '' ? null : shown
  if (typeof shown === 'number') return String(shown)
  if (typeof shown === 'object' && shown !== null && 'toFixed' in shown) {
    return (shown as { toFixed(): string }).toFixed()
  }
  return null
}

function snapshotConfigsFrom({ LiveStreamSnapshotConfigList: list }: Answer): SnapshotConfig[] {
  const rows: unknown = (list as Answer | undefined)?.LiveStreamSnapshotConfig
  if (!Array.isArray(rows)) return []
  return rows.map(({ AppName, Callback }: Answer) => ({
    app: String(AppName),
    callbackUrl: typeof Callback === 'string' && Callback !== '' ? Callback : null,
  }))
}
