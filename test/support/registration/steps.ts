// What a change of a registration consists of, as seen from outside: the calls that it makes to its
// store and to the provider. A test can count them, and end everything right before or after one.

export type Side = 'before' | 'after'
/** The call and its turn among those of its name, such as `saveRing 2`. */
export type Step = string

/**
 * Told of every step, right before the call and right after its answer. Where it returns a promise,
 * the step goes on when that resolves: never, if it is to be the last.
 */
export type OnStep = (step: Step, side: Side) => Promise<void> | void

export type Steps = {
  take<T>(call: string, act: () => Promise<T>): Promise<T>
  /** The same part, with each call to it a step. */
  told<T extends object>(part: T): T
}

export function isProviderWrite(step: Step): boolean {
  return /^(add|update|remove) /.test(step)
}

export function isStoreWrite(step: Step): boolean {
  return /^(saveRing|addReceivingTime|advanceCursor|append) /.test(step)
}

export function createSteps(onStep: OnStep): Steps {
  const turns = new Map<string, number>()

  async function take<T>(call: string, act: () => Promise<T>): Promise<T> {
    const turn = (turns.get(call) ?? 0) + 1
    turns.set(call, turn)
    await onStep(`${call} ${turn}`, 'before')
    const answer = await act()
    await onStep(`${call} ${turn}`, 'after')
    return answer
  }

  return {
    take,
    told: (part) =>
      new Proxy(part, {
        get(target, name) {
          const method = Reflect.get(target, name)
          if (typeof method !== 'function') return method
          return (...args: unknown[]) => take(String(name), () => method.apply(target, args))
        },
      }),
  }
}
