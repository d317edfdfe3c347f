// Whose event is whose: the provider's list and the callbacks may spell a name differently, in case,
// and a body may name no stream at all. Pure.
import type { GivenName } from './kept-columns.ts'
import type { StreamName } from './shots.ts'

export type Sorted<T> = {
  /** By `streamKey` of the name as it is to be asked for. */
  readonly streams: ReadonlyMap<string, { readonly name: StreamName; readonly kept: T[] }>
  /** What names no stream: any shot of the domain may be theirs. */
  readonly loose: readonly T[]
}

/** One text for a stream's two names; no name can imitate another. */
export function streamKey({ app, stream }: StreamName): string {
  return JSON.stringify([app, stream])
}

/** Sorts what is kept by stream: the listed ones, and those that only the log knows. */
export function sortByStream<T extends GivenName>(
  listed: readonly StreamName[],
  kept: readonly T[],
): Sorted<T> {
  const streams = new Map<string, { name: StreamName; kept: T[] }>()
  const byFoldedName = new Map<string, string>()
  const byStreamAlone = new Map<string, string>()
  const loose: T[] = []

  function add(name: StreamName): string {
    const key = streamKey(name)
    if (streams.has(key)) return key
    streams.set(key, { name, kept: [] })
    byFoldedName.set(key.toLowerCase(), key)
    byStreamAlone.set(name.stream, key)
    return key
  }

  function keyOf({ app, stream }: GivenName): string | undefined {
    if (stream === null) return undefined
    if (app === null) return byStreamAlone.get(stream)
    const exact = streamKey({ app, stream })
    if (streams.has(exact)) return exact
    return byFoldedName.get(exact.toLowerCase()) ?? add({ app, stream })
  }

  for (const name of listed) add({ app: name.app, stream: name.stream })
  // Those with both names first: they make streams that others then belong to.
  for (const event of kept.toSorted((a, b) => Number(a.app === null) - Number(b.app === null))) {
    const key = keyOf(event)
    if (key === undefined) loose.push(event)
    else streams.get(key)?.kept.push(event)
  }
  return { streams, loose }
}
