// The real writer, which a test can hang or crash: called while `<path>.hang` exists, it stands
// still until that is gone; called while `<path>.crash` exists, it ends without an answer.
import { existsSync } from 'node:fs'
import { type MessagePort, parentPort, workerData } from 'node:worker_threads'
import { serveDatabase } from '../../../src/store/sqlite/worker/serve-database.ts'

const POLL_MS = 5

const port = parentPort as MessagePort
const disturbed = {
  on: (event: 'message', listener: (call: unknown) => void) =>
    port.on(event, (call) => {
      while (existsSync(`${workerData.path}.hang`)) pause()
      if (existsSync(`${workerData.path}.crash`)) throw new Error('crashed as the test asked')
      listener(call)
    }),
  postMessage: (message: unknown) => port.postMessage(message),
  close: () => port.close(),
}
serveDatabase(disturbed as MessagePort, workerData)

function pause(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT)), 0, 0, POLL_MS)
}
