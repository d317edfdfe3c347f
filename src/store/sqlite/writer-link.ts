// The event loop's side of the thread boundary: calls to the writer as promises. A writer that
// crashes fails the calls it had and is started anew after a pause; until then calls fail at once.
// A damaged store is never opened anew: what would be written there may never be found again.
import { Worker } from 'node:worker_threads'
import { faultCode, ServiceError } from '../../errors.ts'
import { toError } from './faults.ts'
import type { StoreFile } from './worker/connection.ts'
import type { Database } from './worker/database.ts'
import type { Call, Reply } from './worker/serve-database.ts'

/** The pause before a crashed writer is started anew: doubled each time up to the longest. */
const FIRST_RESTART_MS = 100
const LONGEST_RESTART_MS = 5_000

type Waiting = { resolve(value: unknown): void; reject(fault: unknown): void }
type Method = Exclude<keyof Database, 'close'>

export interface WriterLink {
  /** Rejects with the fault of the call, or `store_failed` while there is no writer. */
  call<M extends Method>(
    method: M,
    argument: Parameters<Database[M]>[0],
    transfer?: readonly ArrayBuffer[],
  ): Promise<ReturnType<Database[M]>>
  /** Ends the writer once it has answered all calls made before. */
  close(): Promise<void>
}

/** Starts a writer; rejects with its fault where it can't open the store. */
export async function startWriter(workerUrl: URL, file: StoreFile): Promise<WriterLink> {
  const waiting = new Map<number, Waiting>()
  let worker: Worker | undefined
  /** Why there is no writer, while there is none. */
  let down: Error = lost(file.path)
  let damage: Error | undefined
  let lastId = 0
  let closed = false
  let hasOpened = false
  let restartMs = FIRST_RESTART_MS
  let restartTimer: NodeJS.Timeout | undefined
  await start()

  return {
    call(method, argument, transfer) {
      if (closed)
        return Promise.reject(new ServiceError('The store is closed.', { code: 'store_failed' }))
      return ask(method, argument, transfer) as Promise<ReturnType<Database[typeof method]>>
    },

    async close() {
      closed = true
      clearTimeout(restartTimer)
      if (worker === undefined) return
      const { promise: ended, resolve } = Promise.withResolvers<void>()
      worker.once('exit', () => resolve())
      // A writer that crashes now leaves a log that the next start finds: nothing to report.
      await ask('close', undefined).catch(() => {})
      await ended
    },
  }

  function ask(method: keyof Database, argument: unknown, transfer: readonly ArrayBuffer[] = []) {
    if (worker === undefined) return Promise.reject(down)
    const id = ++lastId
    const { promise, resolve, reject } = Promise.withResolvers<unknown>()
    waiting.set(id, { resolve, reject })
    worker.postMessage({ id, method, argument } satisfies Call, transfer)
    return promise
  }

  function start(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    let cause: unknown
    worker = new Worker(workerUrl, { workerData: file, name: file.isLive ? 'reader' : 'store' })
    worker.on('message', (reply: Reply) => {
      switch (reply.kind) {
        case 'opened':
          hasOpened = true
          restartMs = FIRST_RESTART_MS
          return resolve()
        case 'not_opened':
          cause = toError(reply.fault)
          return
        case 'answer':
        case 'failed':
          settle(reply)
        // Anything else is not ours: under `node --watch` a thread also reports what it imports.
      }
    })
    worker.once('error', (error) => {
      cause = error
    })
    worker.once('exit', () => {
      worker = undefined
      down = damage ?? lost(file.path, cause)
      reject(cause instanceof ServiceError ? cause : down)
      for (const call of waiting.values()) call.reject(down)
      waiting.clear()
      if (hasOpened && !closed && damage === undefined) startLater()
    })
    return promise
  }

  function settle(reply: Extract<Reply, { id: number }>): void {
    const call = waiting.get(reply.id)
    waiting.delete(reply.id)
    if (reply.kind === 'answer') {
      call?.resolve(reply.value)
      return
    }
    const fault = toError(reply.fault)
    if (faultCode(fault) === 'store_damaged') damage ??= fault
    call?.reject(fault)
  }

  function startLater(): void {
    // A start that fails ends in another exit, and so in the next start.
    restartTimer = setTimeout(() => start().catch(() => {}), restartMs).unref()
    restartMs = Math.min(restartMs * 2, LONGEST_RESTART_MS)
  }
}

function lost(path: string, cause?: unknown): ServiceError {
  const message = `The writer of the store ${path} ended: it is being started again.`
  return new ServiceError(message, { code: 'store_failed', cause })
}
