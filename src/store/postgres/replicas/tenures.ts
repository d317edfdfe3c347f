// What this replica owns: tenures of tasks, and how long it acts on them without having heard that they
// last. What the database thinks of them is another matter.
import type { Lease } from '../../../ports/leases.ts'

export type TenureNews = {
  /** A task is owned here from now on. */
  onTaken?(task: string): void
  onLost?(task: string): void
  /** It was handed back. */
  onReleased?(task: string): void
}

type Tenure = {
  readonly lease: Lease
  readonly token: string
  readonly recalled: AbortController
  readonly ended: AbortController
}

export function createTenures(deps: {
  /** How long a tenure is trusted, from before it was asked for. */
  readonly trustMs: number
  /** How long a task that is recalled may still be acted on. */
  readonly recallMs: number
  readonly news: TenureNews
  /** Tells the database that a task is handed back. */
  handBack(token: string, isRecalled: boolean): Promise<void>
}) {
  const { trustMs, recallMs, news, handBack } = deps
  const tenures = new Map<string, Tenure>()
  let trustedUntil = -Infinity
  let timer: NodeJS.Timeout | undefined

  function end(task: string): void {
    const tenure = tenures.get(task)
    if (tenure === undefined) return
    tenures.delete(task)
    tenure.ended.abort()
    news.onLost?.(task)
  }

  function endAll(): void {
    clearTimeout(timer)
    for (const task of [...tenures.keys()]) end(task)
  }

  return {
    /** The lease of a tenure that begins, for whoever waits for it. */
    begin(task: string, token: string): Lease {
      const ended = new AbortController()
      const recalled = new AbortController()
      const lease: Lease = {
        task,
        token,
        isHeld: () => !ended.signal.aborted && performance.now() < trustedUntil,
        recalled: recalled.signal,
        lost: ended.signal,
        async release() {
          if (tenures.get(task)?.token === token) {
            tenures.delete(task)
            news.onReleased?.(task)
          }
          ended.abort()
          await handBack(token, recalled.signal.aborted)
        },
      }
      tenures.set(task, { lease, token, recalled, ended })
      news.onTaken?.(task)
      return lease
    },

    /** Ends those that have another token in `held`, or none. */
    keep(held: Readonly<Record<string, string>>): void {
      for (const [task, { token }] of [...tenures]) if (held[task] !== token) end(task)
    },

    /** Trusts all that there are, as of `sentAt`, when it was asked whether they last. */
    trust(sentAt: number): void {
      trustedUntil = sentAt + trustMs
      clearTimeout(timer)
      // What is under way is cut off; what is about to begin asks `isHeld` first.
      timer = setTimeout(endAll, trustedUntil - performance.now()).unref()
    },

    /** Its loops come to an end, hand it back, and ask for it again: whoever has fewer is sooner. */
    recall(task: string): void {
      const tenure = tenures.get(task)
      if (tenure === undefined) return
      tenure.recalled.abort()
      const late = setTimeout(() => tenure.ended.abort(), recallMs).unref()
      tenure.lease.lost.addEventListener('abort', () => clearTimeout(late), { once: true })
    },

    has: (task: string) => tenures.has(task),
    isOwner: (task: string) => tenures.get(task)?.lease.isHeld() === true,
    tasks: () => [...tenures.keys()],
    tokens: () => [...tenures.values()].map(({ token }) => token),
    endAll,
  }
}
