// `send`: posts one correctly signed callback, as the provider would, to try an installation.
import { portProblem } from '../../core/blocked-ports.ts'
import { sign, signedHosts } from '../../core/keys/signature.ts'
import { command } from '../command.ts'
import { secretOption } from '../options.ts'
import { EXIT, refuseOption, refuseUsage, type Shell } from '../shell.ts'

/** As long as the provider waits (docs/provider.md#delivery). */
const TIMEOUT_MS = 5_000

type Options = {
  url?: string
  key?: string
  keyFile?: string
  timestamp?: string
  body?: string
}

export const SEND = command({
  name: 'send',
  description: 'post one signed callback to a URL; exit 1 unless it is answered 200',
  define: (send) =>
    send
      .option('--url <url>', 'the callback URL, such as http://127.0.0.1:8080/callbacks/DOMAIN')
      .option('--key <key>', 'the notify key to sign with; others on the machine can see it')
      .option('--key-file <file>', 'the file that holds it, - for standard input')
      .option('--timestamp <seconds>', 'Unix time to sign; now if not given')
      .option('--body <file>', 'the body, - for standard input; an invented one if not given'),
  run: runSend,
})

async function runSend(shell: Shell, options: Options): Promise<number> {
  const { url: given, keyFile } = options
  if (keyFile === '-' && options.body === '-') {
    throw refuseUsage(shell, 'key and body can not both come from standard input')
  }
  const key = await secretOption(shell, '--key', { given: options.key, file: keyFile })
  if (given === undefined || key === undefined) {
    const missing = [
      given === undefined && '--url <url>',
      key === undefined && '--key <key> or --key-file <file>',
    ]
    throw refuseUsage(shell, `send needs ${missing.filter(Boolean).join(' and ')}`)
  }
  const url = URL.parse(given)
  if (url === null || !['http:', 'https:'].includes(url.protocol)) {
    throw refuseOption(shell, '--url', 'an http:// or https:// URL')
  }
  const timestamp = options.timestamp ?? String(Math.floor(Date.now() / 1000))
  if (!/^\d{1,12}$/.test(timestamp)) {
    throw refuseOption(shell, '--timestamp', 'Unix seconds, digits only')
  }
  const [host = url.hostname] = signedHosts(given)
  const headers = {
    'ALI-LIVE-TIMESTAMP': timestamp,
    'ALI-LIVE-SIGNATURE': sign(host, timestamp, key),
    'Content-Type': 'application/json',
  }
  const body = await bodyFor(shell, options.body, url)
  const blocked = portProblem(given)
  if (blocked !== undefined) throw refuseUsage(shell, `option --url ${blocked}`)
  const signal = AbortSignal.any([shell.signal, AbortSignal.timeout(TIMEOUT_MS)])
  try {
    const request = { method: 'POST', headers, body, signal, redirect: 'manual' as const }
    const response = await fetch(url, request)
    shell.print(`${response.status} ${await response.text()}`)
    return response.status === 200 ? EXIT.done : EXIT.failed
  } catch (error) {
    shell.error(`snaphook: no answer from ${url.origin} (${reasonOf(error)})`)
    return EXIT.failed
  }
}

async function bodyFor(shell: Shell, source: string | undefined, url: URL): Promise<Uint8Array> {
  if (source === '-') return shell.readStdin()
  if (source === undefined) return new TextEncoder().encode(JSON.stringify(inventedBody(url)))
  const body = await shell.readBytes(source).catch(() => undefined)
  if (body !== undefined) return body
  throw refuseOption(shell, '--body', `a file that can be read, or -; not "${source}"`)
}

/**
 * Invented: the provider does not publish the fields of a snapshot callback
 * (docs/provider.md#callback-body).
 */
function inventedBody(url: URL) {
  const now = Date.now()
  return {
    DomainName: url.pathname.split('/').at(-1),
    AppName: 'live',
    StreamName: 'sent-by-hand',
    OssBucket: 'example-bucket',
    OssObject: `live/sent-by-hand/${now}.jpg`,
    CreateTimestamp: now,
  }
}

function reasonOf(error: unknown): string {
  if (error instanceof Error && error.name === 'TimeoutError') {
    return `none within ${TIMEOUT_MS / 1000} s`
  }
  const cause = error instanceof Error ? error.cause : undefined
  if (cause instanceof Error && 'code' in cause) return String(cause.code)
  return error instanceof Error ? error.name : 'unknown'
}
