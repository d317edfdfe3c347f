// One sender of the flood bench, in a process of its own, in an open loop: PORT RATE SECONDS, and
// the notify key of honest callbacks. Without a key, signatures are bad. Prints its figures as JSON.
import { randomBytes } from 'node:crypto'
import { sign } from '../../src/core/keys/signature.ts'
import { bodyOf, DOMAIN } from './callback.ts'
import { openConnections, openLoop, rawCallback } from './raw-client.ts'

export type SenderFigures = {
  /** Answers a second. Latency counts from the moment at which a callback was due. */
  readonly perSecond: number
  readonly statuses: Readonly<Record<string, number>>
  readonly lost: number
  readonly p50Ms: number
  readonly p99Ms: number
}

const [port, perSecond, seconds] = process.argv.slice(2, 5).map(Number) as [number, number, number]
const key = process.argv[5]
/** The flood's are enough for half a second of it without more in one than the service allows. */
const CONNECTIONS = key === undefined ? 128 : 16
/** So many requests go out in one write: the flood must not need more of the machine than it asks. */
const IN_ONE_WRITE = key === undefined ? 8 : 1
/** A flood varies what it can: every timestamp within the skew of five minutes, but for a margin. */
const TIMESTAMPS = 560
const LAST_ANSWERS_MS = 2_000

const statuses: Record<string, number> = {}
const latencies: number[] = []
const connections = await openConnections<number>(port, CONNECTIONS, (status, dueAt) => {
  statuses[status] = (statuses[status] ?? 0) + 1
  latencies.push(performance.now() - dueAt)
})

const nowSeconds = () => Math.floor(Date.now() / 1000)
/** The flood's writes, made beforehand. */
const bad = Array.from({ length: TIMESTAMPS / IN_ONE_WRITE }, (_, n) =>
  Buffer.concat(
    Array.from({ length: IN_ONE_WRITE }, (_, m) =>
      rawCallback(port, DOMAIN, {
        timestamp: String(nowSeconds() + n * IN_ONE_WRITE + m - TIMESTAMPS / 2),
        signature: randomBytes(16).toString('hex'),
        body: bodyOf(n),
      }),
    ),
  ),
)

let sent = 0
function next(): Uint8Array {
  const n = sent++
  if (key === undefined) return bad[n % bad.length] as Uint8Array
  const timestamp = String(nowSeconds())
  const signature = sign('127.0.0.1', timestamp, key)
  return rawCallback(port, DOMAIN, { timestamp, signature, body: bodyOf(process.pid * 1e6 + n) })
}

const begun = performance.now()
await openLoop(perSecond / IN_ONE_WRITE, seconds, (dueAt) => {
  connections.send(next(), new Array<number>(IN_ONE_WRITE).fill(dueAt))
})
const took = performance.now() - begun
const deadline = performance.now() + LAST_ANSWERS_MS
while (connections.unanswered() > 0 && performance.now() < deadline) {
  await new Promise((resolve) => setTimeout(resolve, 5))
}

latencies.sort((a, b) => a - b)
const percentile = (share: number) => latencies[Math.ceil(latencies.length * share) - 1] ?? NaN
const figures: SenderFigures = {
  perSecond: (latencies.length * 1000) / took,
  statuses,
  lost: connections.unanswered(),
  p50Ms: percentile(0.5),
  p99Ms: percentile(0.99),
}
console.log(JSON.stringify(figures))
connections.close()
