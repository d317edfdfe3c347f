// The writer's side of the thread boundary: opens the store, says so, and answers calls in order.
import type { MessagePort } from 'node:worker_threads'
import { type Fault, faultOf } from '../faults.ts'
import type { Committed } from '../messages.ts'
import type { StoreFile } from './connection.ts'
import { type Database, openDatabase } from './database.ts'

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
    // From then on nothing is taken: what seems to be kept in such a store may never be found again.
    let damage: Fault | undefined
    port.on('message', (call: Call) => {
      const isClose = call.method === 'close'
      const answered: Reply =
        damage === undefined || isClose
          ? answer(database, call, file.path)
          : { kind: 'failed', id: call.id, fault: damage }
      damage ??= damageIn(answered)
      reply(answered)
      if (isClose) port.close()
    })
    reply({ kind: 'opened' })
  } catch (error) {
    reply({ kind: 'not_opened', fault: faultOf(error, file.path) })
    port.close()
  }
}

function answer(database: Database, { id, method, argument }: Call, path: string): Reply {
  try {
    const run = database[method] as (argument: unknown) => unknown
    return { kind: 'answer', id, value: run(argument) }
  } catch (error) {
    return { kind: 'failed', id, fault: faultOf(error, path) }
  }
}

function damageIn(reply: Reply): Fault | undefined {
  if (reply.kind === 'failed') return damageOf(reply.fault)
  if (reply.kind !== 'answer' || !isCommitted(reply.value)) return undefined
  return [...reply.value.seqs, ...reply.value.writes].map(damageOf).find((fault) => fault)
}

function damageOf(answer: number | null | Fault): Fault | undefined {
  const isDamage = typeof answer === 'object' && answer?.code === 'store_damaged'
  return isDamage ? answer : undefined
}

function isCommitted(value: unknown): value is Committed {
  return typeof value === 'object' && value !== null && 'seqs' in value && 'writes' in value
}
