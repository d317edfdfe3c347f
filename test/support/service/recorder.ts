// A webhook that takes everything and writes down in which order, for tests about what comes again.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'

/** The batch that was under way, and the one before whose cursor may not be written yet. */
const MAX_BACK = 2
/** Further back nobody can tell any more; it counts as beyond. */
const KEPT_BATCHES = 1_000

/** Bodies are to be `{"n":…}`. */
export async function openRecorder() {
  const numbers = new Set<number>()
  /** The last seq of each batch that went ahead, newest last. */
  const ahead: number[] = []
  let repeated = 0
  let beyond = 0
  let late = 0

  function note(batch: readonly SnapshotCloudEvent[]): void {
    const first = batch[0]?.data.seq ?? 0
    const last = batch.at(-1)?.data.seq ?? 0
    for (const { data } of batch) numbers.add(JSON.parse(data.raw ?? '{}').n)
    const newest = ahead.at(-1) ?? 0
    const again = batch.filter(({ data }) => data.seq <= newest).length
    if (again > 0) {
      repeated += again
      const back = ahead.filter((seq) => seq >= first).length
      if (back > MAX_BACK) {
        if (late > 0) late -= 1
        else beyond += again
      }
    }
    if (last > newest) ahead.push(last)
    if (ahead.length > KEPT_BATCHES) ahead.shift()
  }

  const server = createServer(async (request, response) => {
    note((await json(request)) as SnapshotCloudEvent[])
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    /** Whether the callback with this number was delivered. */
    had: (n: number) => numbers.has(n),
    /** An owner that was paused may finish one request late. */
    allowLate() {
      late = 1
    },
    repeats: () => ({ repeated, beyond }),
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  }
}
