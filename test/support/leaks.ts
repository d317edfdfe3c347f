// Fails a test that leaves something open: a server, a connection, a worker or a child process. What it
// leaves would hold the run up, or disturb the next test, which shares the process.
import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { Worker } from 'node:worker_threads'
import { afterAll, beforeAll, beforeEach } from 'vitest'

/** Of what keeps a process alive; timers and files come and go by themselves. */
const OF_A_TEST = [
  'TCPServerWrap',
  'PipeServerWrap',
  'PipeWrap',
  'ProcessWrap',
  'UDPWrap',
  'Worker',
]
/** Clients keep connections to a server that the tests of a file share. */
const OF_A_FILE = [...OF_A_TEST, 'TCPSocketWrap', 'TLSWrap']
/** What is closing may take a few turns of the event loop, or of a busy machine. */
const PATIENCE_MS = 3_000
const POLL_MS = 5

/** Workers that run: Node does not count them among the resources. */
const workers = new Set<Worker>()
function noteWorker(message: unknown): void {
  const { worker } = message as { worker: Worker }
  workers.add(worker)
  worker.once('exit', () => workers.delete(worker))
}
// This file is run anew for each file of tests, in the same process.
subscribe('worker_threads', noteWorker)

type Open = ReadonlyMap<string, number>

function open(): Open {
  const counts = new Map<string, number>()
  for (const kind of process.getActiveResourcesInfo()) {
    counts.set(kind, (counts.get(kind) ?? 0) + 1)
  }
  return counts.set('Worker', workers.size)
}

function moreThan(before: Open, kinds: readonly string[]): string[] {
  const now = open()
  return kinds.flatMap((kind) => {
    const left = (now.get(kind) ?? 0) - (before.get(kind) ?? 0)
    return left > 0 ? [`${left} ${kind}`] : []
  })
}

async function expectNothingLeft(before: Open, kinds: readonly string[]): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS
  let left = moreThan(before, kinds)
  while (left.length > 0 && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    left = moreThan(before, kinds)
  }
  if (left.length > 0) throw new Error(`left open: ${left.join(', ')}`)
}

// Tests that run side by side are looked at together, at the end of their file.
let atFirst: Open = new Map()
beforeAll(() => {
  atFirst = open()
})
afterAll(async () => {
  await expectNothingLeft(atFirst, OF_A_FILE)
  unsubscribe('worker_threads', noteWorker)
})

beforeEach(({ task, onTestFinished }) => {
  if (task.concurrent) return
  const before = open()
  // Registered first, and so called last: when all that the test has asked for is closed.
  onTestFinished(() => expectNothingLeft(before, OF_A_TEST))
})
