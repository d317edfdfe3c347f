// The provider's API over HTTP: one path, the operation in the parameters, which come as query or
// form. Faults go before everything else, then the gate, the limit, and the operation itself.
import type { HttpBindings } from '@hono/node-server'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { pause } from '../pause.ts'
import type { CallLog } from './call-log.ts'
import type { Faults } from './faults.ts'
import type { Outcome, Provider } from './operations/operation.ts'
import { API_VERSION, isOperation } from './operations/operation-names.ts'
import { runOperation } from './operations/operations.ts'
import { answerFault, answerFields, answerRefusal } from './rpc-answers.ts'
import { refuse } from './rpc-errors.ts'
import type { Gate } from './rpc-gate.ts'
import type { Params } from './rpc-signature.ts'

/** No call of this API comes near it. */
const MAX_REQUEST_BYTES = 64 * 1024

/** The API's only path, for POST and GET. */
export function createRpcApp(options: {
  provider: Provider
  gate: Gate
  throttle: (operation: string) => boolean
  faults: Faults
  calls: CallLog
  stopping: AbortSignal
}) {
  const { provider, gate, throttle, faults, calls, stopping } = options

  function perform(method: string, params: Params): Outcome {
    const { Action, Version } = params
    if (!isOperation(Action) || Version !== API_VERSION) return refuse('InvalidApi.NotFound')
    const refusal = gate.check(method, params)
    if (refusal) return refusal
    if (!throttle(Action)) return refuse('Throttling.User')
    return runOperation(Action, params, provider)
  }

  const app = new Hono<{ Bindings: HttpBindings }>()
  app.on(['GET', 'POST'], '/', bodyLimit({ maxSize: MAX_REQUEST_BYTES }), async (c) => {
    const query: Params = c.req.query()
    const form = c.req.method === 'POST' ? new URLSearchParams(await c.req.text()) : []
    const params = { ...query, ...Object.fromEntries(form) }
    const conclude = calls.begin(c.req.method, query, params)

    const { delayMs, fault } = faults.take(params.Action ?? '')
    if (delayMs > 0) await pause(delayMs, stopping)
    if (fault === 'timeout') return silence(conclude, fault)
    if (fault === 'drop') return dropped(c.env, conclude, fault)
    if (fault !== undefined && fault !== 'applied_then_drop') {
      conclude(fault)
      return dated(answerFault(fault))
    }

    const outcome = perform(c.req.method, params)
    if (fault === 'applied_then_drop') return dropped(c.env, conclude, fault)
    if ('code' in outcome) {
      conclude(outcome.code)
      return dated(answerRefusal(outcome))
    }
    conclude('OK')
    return dated(answerFields(outcome.fields))
  })
  return app

  /** Clients may read the provider's clock from its answers. */
  function dated(response: Response): Response {
    response.headers.set('Date', new Date(provider.now()).toUTCString())
    return response
  }
}

/** An answer that never comes; the server's end closes the connection. */
function silence(conclude: (outcome: string) => void, fault: string): Promise<Response> {
  conclude(fault)
  return new Promise(() => {})
}

function dropped(
  { incoming }: HttpBindings,
  conclude: (outcome: string) => void,
  fault: string,
): Promise<Response> {
  incoming.socket.destroy()
  return silence(conclude, fault)
}
