// One connection to a server, opened when it is needed and given up after any failure: what a server
// has said on a connection is not trusted after that, and a fail-over is found by connecting again.
// When to try again is not decided here, so nothing is queued here either.

/** The work was not waited for any longer; the message is for people. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
}

export type Link<C> = {
  /** Rejects with the fault of the connection or of the work, or with `GivenUp` after `limitMs`. */
  use<T>(work: (connection: C) => Promise<T>, signal: AbortSignal): Promise<T>
  close(): Promise<void>
}

export function createLink<C>(options: {
  /** `lost` is to be called when the connection is gone. */
  readonly open: (lost: () => void) => Promise<C>
  /** Gives back all of it, whatever state it is in. */
  readonly end: (connection: C) => void
  readonly limitMs: number
}): Link<C> {
  const { open, end, limitMs } = options
  let current: Promise<C> | undefined

  function drop(which: Promise<C>): void {
    if (current === which) current = undefined
    which.then(end).catch(() => undefined)
  }

  return {
    async use(work, signal) {
      current ??= open(() => drop(mine))
      const mine = current
      try {
        return await inTime(mine.then(work), limitMs, signal)
      } catch (error) {
        drop(mine)
        throw error
      }
    },
    async close() {
      if (current !== undefined) drop(current)
    },
  }
}

async function inTime<T>(work: Promise<T>, limitMs: number, signal: AbortSignal): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  const stop = (): void => reject(new GivenUp('stopped before it answered'))
  const late = (): void => reject(new GivenUp(`no answer within ${limitMs / 1_000} s`))
  const timer = setTimeout(late, limitMs)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  try {
    return await Promise.race([work, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
