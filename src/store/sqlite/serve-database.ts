// The writer's side of the thread boundary: opens the store, says so, and answers calls in order.
import type { MessagePort } from 'node:worker_threads'
import type { StoreFile } from './connection.ts'
import { type Database, openDatabase } from './database.ts'
import { type Fault, faultOf } from './faults.ts'

/** A call of one of the store's methods. */
export type Call = {
  readonly id: number
  readonly method: keyof Database
  readonly argument: unknown
}

export type Reply =
  | { readonly kind: 'opened' }
  | { readonly kind: 'not_opened'; readonly fault: Fault }
  | { readonly kind: 'answer'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }

/** Serves the store over `port` until it is closed. */
export function serveDatabase(port: MessagePort, file: StoreFile): void {
  const reply = (message: Reply) => port.postMessage(message)
  try {
    const database = openDatabase(file)
    port.on('message', (call: Call) => {
      reply(answer(database, call))
      if (call.method === 'close') port.close()
    })
    reply({ kind: 'opened' })
  } catch (error) {
    reply({ kind: 'not_opened', fault: faultOf(error) })
    port.close()
  }
}

function answer(database: Database, { id, method, argument }: Call): Reply {
  try {
    const run = database[method] as (argument: unknown) => unknown
    return { kind: 'answer', id, value: run(argument) }
  } catch (error) {
    return { kind: 'failed', id, fault: faultOf(error) }
  }
}
