// `stdout:` one CloudEvent a line on standard output. Delivered means handed to the operating
// system: a pipe whose reader is slow holds this sink up, and nobody else.
import type { DeliveryOutcome } from '../core/delivery/outcome.ts'
import { toCloudEvent } from '../core/events/snapshot-event.ts'
import type { Sink } from '../ports/sink.ts'
import { codeOf } from './connection/fault.ts'
import type { Output, SinkKind } from './sink-kind.ts'

/** What writing to it ends with where nobody is left to read. */
const CLOSED = new Set(['EPIPE', 'ERR_STREAM_DESTROYED'])

export const STDOUT: SinkKind = {
  problem: (url) => (url === 'stdout:' ? undefined : 'must be stdout: and nothing more'),
  create: ({ name }, { stdout }) => createStdoutSink(name, stdout),
}

export function createStdoutSink(name: string, output: Output): Sink {
  // Without a listener a closed pipe would end the process; each write learns of it by itself.
  output.on('error', () => undefined)
  return {
    name,
    check: async () => ({ reachable: true, detail: 'writes to standard output' }),
    deliver(events, signal) {
      const lines = events.map((event) => `${JSON.stringify(toCloudEvent(event))}\n`).join('')
      return write(output, lines, signal)
    },
    async close() {},
  }
}

function write(output: Output, lines: string, signal: AbortSignal): Promise<DeliveryOutcome> {
  const { promise, resolve } = Promise.withResolvers<DeliveryOutcome>()
  const stop = (): void => resolve({ kind: 'failed', reason: 'stopped while the reader was slow' })
  if (signal.aborted) stop()
  signal.addEventListener('abort', stop, { once: true })
  output.write(lines, (error) => {
    signal.removeEventListener('abort', stop)
    resolve(error ? { kind: 'failed', reason: reasonOf(error) } : { kind: 'delivered' })
  })
  return promise
}

function reasonOf(error: Error): string {
  const code = codeOf(error)
  return code === undefined || CLOSED.has(code)
    ? 'standard output is closed'
    : `standard output can't be written to (${code})`
}
