// The signature of a snapshot callback: md5 over host, timestamp and notify key. It covers neither
// the body nor the path; that is the provider's rule.
import { createHash } from 'node:crypto'

/** `ALI-LIVE-SIGNATURE` for a host, a Unix time in seconds and a key: 32 lower-case hex digits. */
export function signCallback(host: string, timestamp: string | number, key: string): string {
  return createHash('md5').update([host, timestamp, key].join('|')).digest('hex')
}
