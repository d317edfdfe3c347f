// A value whose writes take effect at once and show later, as configuration of a large system
// does. The lag is asked at each look, so that it can be changed under way.

/** More writes than anybody makes within a lag. */
const MAX_HISTORY = 100

type Version<T> = { at: number; value: T | undefined }

/** One value: what is in force, and what a reader is shown. */
export function createLagged<T>(now: () => number, lagMs: () => number) {
  const versions: Version<T>[] = []
  return {
    current: (): T | undefined => versions.at(-1)?.value,
    shown: (): T | undefined => versions.findLast(({ at }) => at + lagMs() <= now())?.value,
    write(value: T | undefined): void {
      versions.push({ at: now(), value })
      if (versions.length > MAX_HISTORY) versions.shift()
    },
  }
}
