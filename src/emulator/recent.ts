// The last few of something: what the emulator remembers is bounded, however long it runs.

export type Recent<T> = ReturnType<typeof createRecent<T>>

/** A list that keeps its newest `limit` entries, oldest first. */
export function createRecent<T>(limit: number) {
  const entries: T[] = []
  return {
    /** Appends one entry and returns those that had to go. */
    add(entry: T): T[] {
      entries.push(entry)
      return entries.splice(0, entries.length - limit)
    },
    all: (): T[] => [...entries],
  }
}
