// What Hono gives to every handler: Node's own request and response.
import type { HttpBindings } from '@hono/node-server'

export type Env = {
  /** `tokenEndsAt`: when the token of a request ends, epoch ms; absent where none is asked for. */
  Bindings: HttpBindings & { tokenEndsAt?: number }
}
