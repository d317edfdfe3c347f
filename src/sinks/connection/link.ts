// One connection to a server, opened when it is needed and given up after any failure: what a server
// has said on a connection is not trusted after that, and a fail-over is found by connecting again.
// Other calls in flight on that connection may still finish.
// When to try again is not decided here, so nothing is queued here either.

/** The work was not waited for any longer; the message is for people. */
export class GivenUp extends Error {
  override readonly name = 'GivenUp'
  /** The work had been begun, and had its whole time: it may be what was too much. */
  readonly wasLate: boolean
  constructor(message: string, { wasLate }: { wasLate: boolean }) {
    super(message)
    this.wasLate = wasLate
  }
}

/** There was no connection to work on; the cause says why. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected'
}

export type Link<C> = {
  /** Rejects with the fault of the work, with `NotConnected`, or with `GivenUp` after `limitMs`. */
  use<T>(work: (connection: C) => Promise<T>, signal: AbortSignal): Promise<T>
  close(): Promise<void>
}

type Held<C> = {
  readonly connection: Promise<C>
  /** Calls that are at work on it. */
  users: number
  /** Nothing new is begun on it. */
  isGivenUp: boolean
}

export function createLink<C>(options: {
  /** `lost` is to be called when the connection is gone. */
  readonly open: (lost: () => void) => Promise<C>
  /** Gives back all of it, whatever state it is in. */
  readonly end: (connection: C) => void
  readonly limitMs: number
}): Link<C> {
  const { open, end, limitMs } = options
  let current: Held<C> | undefined

  function giveUp(held: Held<C>): void {
    if (current === held) current = undefined
    held.isGivenUp = true
  }

  function endNow({ connection }: Held<C>): void {
    connection.then(end).catch(() => undefined)
  }

  function hold(): Held<C> {
    const lost = (): void => {
      giveUp(held)
      endNow(held)
    }
    const held: Held<C> = { connection: open(lost), users: 0, isGivenUp: false }
    return held
  }

  return {
    async use(work, signal) {
      current ??= hold()
      const mine = current
      mine.users += 1
      try {
        return await inTime(connected(mine), work, { limitMs, signal })
      } catch (error) {
        giveUp(mine)
        // What is sent again must not come twice, and the second time late: it is taken back.
        if (error instanceof GivenUp) endNow(mine)
        throw error
      } finally {
        mine.users -= 1
        if (mine.isGivenUp && mine.users === 0) endNow(mine)
      }
    },
    async close() {
      if (current === undefined) return
      endNow(current)
      giveUp(current)
    },
  }
}

async function connected<C>({ connection }: Held<C>): Promise<C> {
  try {
    return await connection
  } catch (cause) {
    throw new NotConnected('there is no connection', { cause })
  }
}

async function inTime<C, T>(
  connection: Promise<C>,
  work: (connection: C) => Promise<T>,
  { limitMs, signal }: { limitMs: number; signal: AbortSignal },
): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>()
  let isBegun = false
  const stop = (): void => reject(new GivenUp('stopped before it answered', { wasLate: false }))
  const late = (): void =>
    reject(new GivenUp(`no answer within ${limitMs / 1_000} s`, { wasLate: isBegun }))
  const timer = setTimeout(late, limitMs)
  signal.addEventListener('abort', stop, { once: true })
  if (signal.aborted) stop()
  const done = connection.then((it) => {
    isBegun = true
    return work(it)
  })
  try {
    return await Promise.race([done, promise])
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', stop)
  }
}
