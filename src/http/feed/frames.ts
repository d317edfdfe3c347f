// What the event stream says beside events, as Server-Sent Events:
// https://html.spec.whatwg.org/multipage/server-sent-events.html.

/** How long a browser waits before it connects again, in ms. */
export const RETRY_FRAME = 'retry: 2000\n\n'

/** Events that were asked for and are gone. */
export function gapFrame(from: number, to: number): string {
  return `id: ${to}\nevent: gap\ndata: ${JSON.stringify({ from, to })}\n\n`
}

/** Something to send, so that proxies keep the connection and a dead one shows. */
export function commentFrame(): string {
  return ': \n\n'
}

/** The same, with a new place to resume from; without data a browser shows no event. */
export function idFrame(seq: number): string {
  return `: \nid: ${seq}\n\n`
}
