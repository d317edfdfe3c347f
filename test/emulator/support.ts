// What the emulator's tests share: an emulator with defaults, the provider's own client, a
// receiver whose answers can be chosen, and waiting for a condition.
import { once } from 'node:events'
import { Agent, createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import RPCClient from '@alicloud/pop-core'
import { type EmulatorOptions, startEmulator } from '../../src/emulator/emulator.ts'

export const DOMAIN = 'play.example.com'
export const KEY = 'testkeyyourkey12'
export const OTHER_KEY = 'otherkeyotherkey34'
export const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }

/** No timer of a push fires within a test by itself; tests take snapshots by hand. */
export const NEVER_MS = 3_600_000
const DEADLINE_MS = 5000
const POLL_MS = 5

export function emulate(overrides: Partial<EmulatorOptions> = {}) {
  return startEmulator({
    host: '127.0.0.1',
    port: 0,
    accessKeyId: 'testid',
    accessKeySecret: 'testsecret',
    domains: [DOMAIN],
    streams: 0,
    intervalMs: NEVER_MS,
    senderTimeoutMs: 200,
    retryIntervalMs: 10,
    ...overrides,
  })
}

type Answer = Record<string, unknown> & { RequestId: string }
export type Call = (action: string, params?: object, options?: object) => Promise<Answer>

/** pop-core's own 3 s are short for a loaded machine. */
const TIMEOUT_MS = 20_000
/** A connection that was kept may be closed by the other side in the moment that it is used. */
const agent = new Agent({ keepAlive: false })

/** The real client, as the service uses it: always POST. */
export function clientOf(
  emulator: { url: string },
  config: {
    accessKeyId?: string
    accessKeySecret?: string
    securityToken?: string
    apiVersion?: string
  } = {},
): Call {
  const client = new RPCClient({
    endpoint: emulator.url,
    apiVersion: '2016-11-01',
    accessKeyId: 'testid',
    accessKeySecret: 'testsecret',
    ...config,
  })
  return (action, params = {}, options = {}) =>
    client.request(
      action,
      { DomainName: DOMAIN, ...params },
      { method: 'POST', timeout: TIMEOUT_MS, agent, ...options },
    )
}

/** Configures the domain's callback. */
export function configure(call: Call, NotifyUrl: string, key: string | undefined = KEY) {
  const auth = key ? { NotifyReqAuth: 'yes', NotifyAuthKey: key } : { NotifyReqAuth: 'no' }
  return call('AddLiveSnapshotNotifyConfig', { NotifyUrl, ...auth })
}

export type Received = { path: string; method: string; headers: IncomingHttpHeaders; body: string }

/** A receiver of callbacks: answers 200 unless told otherwise. */
export async function receive(
  answer: (response: ServerResponse, index: number) => void = (response) => response.end('ok'),
) {
  const received: Received[] = []
  const server = createServer((request, response) => {
    text(request)
      .then((body) => {
        const { url: path = '', method = '', headers } = request
        received.push({ path, method, headers, body })
        answer(response, received.length - 1)
      })
      .catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/callbacks`,
    authority: `127.0.0.1:${port}`,
    received,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

/** Waits until the condition holds; fails with the label when it does not in time. */
export async function until(label: string, condition: () => boolean): Promise<void> {
  const deadline = Date.now() + DEADLINE_MS
  while (!condition()) {
    if (Date.now() > deadline) throw new Error(`waited in vain: ${label}`)
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
  }
}

/** Sends JSON to the control API. */
export function control(emulator: { url: string }, method: string, path: string, body?: unknown) {
  return fetch(`${emulator.url}/emulator${path}`, {
    method,
    ...(body !== undefined && { body: typeof body === 'string' ? body : JSON.stringify(body) }),
  })
}
