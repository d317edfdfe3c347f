// The event stream and the pauses, as the connection wants them.
/** @import { Listener } from '../logic/live.js' */

/** @param {number} after @param {Listener} listener */
export function openEvents(after, { onOpen, onEvent, onGap, onFault }) {
  const source = new EventSource(`v1/events/stream?after=${after}`)
  source.addEventListener('open', onOpen)
  source.addEventListener('snapshot', ({ data }) => onEvent(JSON.parse(data)))
  source.addEventListener('gap', onGap)
  source.addEventListener('error', onFault)
  return source
}

/** Resolves after `ms`, or as soon as `signal` aborts. */
export function sleep(ms, signal) {
  const { promise, resolve } = Promise.withResolvers()
  const timer = setTimeout(resolve, ms)
  const end = () => {
    clearTimeout(timer)
    resolve()
  }
  if (signal.aborted) end()
  else signal.addEventListener('abort', end, { once: true })
  return promise
}
