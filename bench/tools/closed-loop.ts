// The generator where there is no wrk: PORT CONNECTIONS SECONDS, then what bench/tools/wrk.lua takes. Each
// connection sends its next callback when the last one is answered. All are made beforehand.

import { bodyOf, DOMAIN } from './callback.ts'
import type { Load } from './generator.ts'
import { openConnections, rawCallback } from './raw-client.ts'

/** More than any server here answers. */
const MAX_PER_SECOND = 15_000
/** Callbacks in a millisecond of capture time. */
const IN_A_MILLISECOND = 20

const [port, connections, seconds] = process.argv.slice(2, 5).map(Number) as [
  number,
  number,
  number,
]
const [, timestamp = '', signature = '', first, capturedAt] = process.argv.slice(5)
const requests = Array.from({ length: seconds * MAX_PER_SECOND }, (_, n) =>
  rawCallback(port, DOMAIN, {
    timestamp,
    signature,
    body: bodyOf(Number(first) + n, Number(capturedAt) + Math.floor(n / IN_A_MILLISECOND)),
  }),
)

const latencies: number[] = []
let sent = 0
let refused = 0
const begun = performance.now()
const until = begun + seconds * 1000
const { promise: over, resolve } = Promise.withResolvers<void>()

const open = await openConnections<number>(port, connections, (status, sentAt, index) => {
  const now = performance.now()
  latencies.push(now - sentAt)
  if (!status.startsWith('2')) refused++
  if (now < until) sendNext(index, now)
  else if (open.unanswered() === 0) resolve()
})

function sendNext(index: number, now: number): void {
  const request = requests[sent++]
  if (request === undefined) throw new Error('the server was faster than the requests made for it')
  open.sendTo(index, request, [now])
}

for (let n = 0; n < connections; n++) sendNext(n, performance.now())
await over
open.close()
latencies.sort((a, b) => a - b)
const result: Load = {
  requests: latencies.length,
  seconds: (performance.now() - begun) / 1000,
  p99Ms: latencies[Math.ceil(latencies.length * 0.99) - 1] ?? Number.NaN,
  refused,
  failed: 0,
}
console.log(JSON.stringify(result))
