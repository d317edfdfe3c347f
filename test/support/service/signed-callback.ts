// Callbacks as the provider sends them, with anything about them changed. Signatures are the
// emulator's: it computes them by itself.
import { once } from 'node:events'
import { type IncomingHttpHeaders, type IncomingMessage, request } from 'node:http'
import { text } from 'node:stream/consumers'
import { signCallback } from '../../../src/emulator/emulator.ts'

export const SUCCESS = '{"Code":0,"Msg":"Success"}'

export type Sent = {
  readonly status: number
  readonly body: string
  readonly headers: IncomingHttpHeaders
}

export type CallbackOptions = {
  key: string
  /** Unix seconds; now, if not given. */
  timestamp?: string
  body?: string | Uint8Array
  method?: string
  /** Headers to add, to replace, or (null) to leave out. */
  headers?: Readonly<Record<string, string | null>>
  /** Signs for another host than the URL's. */
  signedHost?: string
  /** Gives up. */
  signal?: AbortSignal
  /** Changes the signature. */
  spell?: (signature: string) => string
}

/** Posts a callback to `url`, signed with `key` for the host of `url`. */
export async function sendCallback(url: string, options: CallbackOptions): Promise<Sent> {
  const { key, timestamp = nowSeconds(), method = 'POST', spell = String } = options
  const { signedHost = new URL(url).hostname, body = snapshotBody() } = options
  const headers = {
    'ALI-LIVE-TIMESTAMP': timestamp,
    'ALI-LIVE-SIGNATURE': spell(signCallback(signedHost, timestamp, key)),
    'Content-Type': 'application/json',
    'Content-Length': String(Buffer.byteLength(body)),
    ...options.headers,
  }
  const kept = Object.entries(headers).filter(
    (entry): entry is [string, string] => entry[1] !== null,
  )
  const sending = request(url, {
    method,
    headers: Object.fromEntries(kept),
    ...(options.signal && { signal: options.signal }),
  }).end(body)
  const [response] = (await once(sending, 'response')) as [IncomingMessage]
  const status = response.statusCode ?? 0
  return { status, body: await text(response), headers: response.headers }
}

export function nowSeconds(offset = 0): string {
  return String(Math.floor(Date.now() / 1000) + offset)
}

let shots = 0

/** A body like no other. Invented, as the emulator's are. */
export function snapshotBody(fields: object = {}): string {
  shots += 1
  return JSON.stringify({
    DomainName: 'play.example.com',
    AppName: 'live',
    StreamName: 'door',
    OssBucket: 'bucket',
    OssObject: `live/door/${process.pid}-${shots}.jpg`,
    CreateTimestamp: Date.now(),
    ...fields,
  })
}
