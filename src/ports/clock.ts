// Time and chance, passed in: so that tests can hold both. Types only.

export interface Clock {
  /** Epoch milliseconds: for what is compared with others or outlives the process. It may jump. */
  now(): number
  /** Milliseconds from some moment on, never backwards: for how long something takes. */
  elapsed(): number
  /** Resolves after `ms`, or as soon as `signal` aborts; it never rejects. */
  sleep(ms: number, signal: AbortSignal): Promise<void>
}

/** A number from 0 up to 1, for jitter. */
export type Random = () => number
