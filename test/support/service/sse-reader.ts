// A reader of Server-Sent Events that keeps what it got.
import { until } from '../until.ts'

export type Received = { readonly id?: string; readonly event?: string; readonly data?: string }

/** Reads `/v1/events/stream` of an API until the end of the block. */
export async function readEvents(
  { url }: { readonly url: string },
  query: string,
  headers: Record<string, string> = {},
) {
  const stopping = new AbortController()
  const response = await fetch(`${url}/v1/events/stream${query}`, {
    headers,
    signal: stopping.signal,
  })
  const events: Received[] = []
  let text = ''
  let rest = ''
  const ended = (async () => {
    const decoder = new TextDecoder()
    for await (const chunk of response.body ?? []) {
      const piece = decoder.decode(chunk, { stream: true })
      text += piece
      const blocks = (rest + piece).split('\n\n')
      rest = blocks.pop() ?? ''
      for (const block of blocks) {
        const received = parse(block)
        if (received.data !== undefined) events.push(received)
      }
    }
  })().catch(() => undefined)
  await until('the head of the stream', () => text.length > 0 || response.status !== 200)
  return {
    response,
    events,
    /** Resolves when the other side ends it. */
    ended,
    /** Everything as it came. */
    get head() {
      return text
    },
    ids: () => events.map(({ id }) => Number(id)),
    async [Symbol.asyncDispose]() {
      stopping.abort()
      await ended
    },
  }
}

function parse(block: string): Received {
  return Object.fromEntries(
    block
      .split('\n')
      .filter((line) => !line.startsWith(':'))
      .map((line) => {
        const at = line.indexOf(': ')
        return [line.slice(0, at), line.slice(at + 2)]
      }),
  )
}
