// What the log says of a start: where the service listens, and which of its ways others can read.
import type { Config } from '../config/config.ts'
import type { Log } from '../ports/log.ts'
import { isPlainAndRemote, readableOnTheWay } from '../sinks/create-sinks.ts'
import { VERSION } from './version.ts'

/** Logs where the service listens, and a warning for each setting that leaves something unprotected. */
export function announceStart(
  { publicUrls: [publicUrl], domains, sinks, liveEndpoint, apiJwks }: Config,
  { callbacks, ops }: { callbacks: string; ops: string },
  log: Log,
): void {
  log.info('listening', { version: VERSION, callbacks, ops, domains })
  if (publicUrl.startsWith('http:')) {
    log.warn('the public URL is plain http: callbacks can be read and copied on their way')
  }
  if (isPlainAndRemote(liveEndpoint)) {
    log.warn(
      "the provider's API is called over plain http: signed calls and notify keys can be read",
    )
  }
  if (apiJwks !== undefined && isPlainAndRemote(apiJwks.url)) {
    log.warn(
      'the key set for API tokens comes over plain http: whoever is on the way can make tokens',
    )
  }
  for (const { name, url } of sinks) {
    const what = readableOnTheWay(url)
    if (what === undefined) continue
    const scheme = new URL(url).protocol.slice(0, -1)
    log.warn(`a sink is plain ${scheme}: ${what} can be read on their way`, { sink: name })
  }
}
