// What Hono gives to every handler: Node's own request and response.
import type { HttpBindings } from '@hono/node-server'

export type Env = {
  Bindings: HttpBindings
  /** When the token of a request ends, epoch ms; absent where none is asked for. */
  Variables: { tokenEndsAt?: number }
}
