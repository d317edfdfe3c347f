// The snapshots that were taken: a list per stream, and the pictures of the last few. A picture
// is drawn when it is first asked for, so that many streams cost nothing until somebody looks.
import { createRecent, type Recent } from '../recent.ts'

export type StreamName = { domain: string; app: string; stream: string }

/** One stored object. `isOverlay`: the name is used again for the next snapshot. */
export type Shot = StreamName & {
  at: number
  sequence: number
  endpoint: string
  bucket: string
  object: string
  isOverlay: boolean
}

/** An hour and more at the shortest interval that the provider offers, 5 s. */
const MAX_SHOTS_PER_STREAM = 1000
/** As many as a page shows of a stream, and some. */
const MAX_PICTURES_PER_STREAM = 30
const MAX_STREAMS = 1000

type Picture = { draw: () => Buffer; jpeg?: Buffer }
type Shelf = { shots: Recent<Shot>; objects: Recent<string>; overlays: Set<string> }

export type Archive = ReturnType<typeof createArchive>

/** An empty archive; `draw` makes the picture of a shot. */
export function createArchive(draw: (shot: Shot) => Buffer) {
  const shelves = new Map<string, Shelf>()
  const pictures = new Map<string, Picture>()

  function shelfOf(id: string): Shelf {
    const known = shelves.get(id)
    if (known) return known
    const [oldest] = shelves
    if (oldest && shelves.size >= MAX_STREAMS) discard(...oldest)
    const shelf = {
      shots: createRecent<Shot>(MAX_SHOTS_PER_STREAM),
      objects: createRecent<string>(MAX_PICTURES_PER_STREAM),
      overlays: new Set<string>(),
    }
    shelves.set(id, shelf)
    return shelf
  }

  function discard(id: string, { objects, overlays }: Shelf): void {
    shelves.delete(id)
    for (const name of [...objects.all(), ...overlays]) pictures.delete(name)
  }

  return {
    store(shot: Shot): void {
      const shelf = shelfOf(idOf(shot))
      const name = `${shot.bucket}/${shot.object}`
      shelf.shots.add(shot)
      if (shot.isOverlay) shelf.overlays.add(name)
      const gone = shot.isOverlay ? [] : shelf.objects.add(name)
      for (const old of gone) pictures.delete(old)
      pictures.set(name, { draw: () => draw(shot) })
    },
    shotsOf: (name: StreamName): Shot[] | undefined => shelves.get(idOf(name))?.shots.all(),
    /** The JPEG of a stored object, if it is still there. */
    picture(bucket: string, object: string): Buffer | undefined {
      const picture = pictures.get(`${bucket}/${object}`)
      if (!picture) return undefined
      picture.jpeg ??= picture.draw()
      return picture.jpeg
    },
  }
}

/** A stream's place in a map: its three names, which hold no slash. */
export function idOf({ domain, app, stream }: StreamName): string {
  return `${domain}/${app}/${stream}`
}
