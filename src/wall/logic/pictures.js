// Which picture is loaded when. A tile has one load in flight, the newest shot wins, and what lies
// between is never asked for. Tiles of one bucket share a lane of a few loads at once, so that a
// slow bucket holds up nobody but itself; one that keeps failing is tried with single loads, ever
// more seldom, until one succeeds.
/** @import { Shot } from '../types.d.ts' */

/** As many as a browser opens connections to one host. */
const LANE_LOADS = 6
/** A picture that takes longer is given up: a newer shot is there by then. */
const LOAD_TIMEOUT_MS = 15_000
/** Failures in a row, none in between that succeeds, before a lane is in trouble. */
const TROUBLE_AFTER = 4
const FIRST_PAUSE_MS = 4_000
const LONGEST_PAUSE_MS = 30_000

/**
 * `load` resolves when the picture can be shown at once, and rejects where there is none; `shown`
 * and `failed` are told of each; `schedule` is `setTimeout`.
 * @param {{
 *   load(key: string, shot: Shot, signal: AbortSignal): Promise<any>,
 *   shown(key: string, shot: Shot, picture: any): void,
 *   failed(key: string, shot: Shot, why: 'slow' | 'refused'): void,
 *   schedule(run: () => void, ms: number): any,
 *   cancel(timer: any): void,
 * }} deps
 */
export function createPictures({ load, shown, failed, schedule, cancel }) {
  /** @type {Map<string, { wanted?: Shot, loading?: Shot, shown: number, abort?: AbortController }>} */
  const tiles = new Map()
  const lanes = new Map()

  function laneOf({ bucket, endpoint }) {
    const name = `${endpoint}/${bucket}`
    let lane = lanes.get(name)
    if (lane === undefined) {
      lane = { queue: new Set(), loads: 0, failures: 0, pauseMs: FIRST_PAUSE_MS, timer: undefined }
      lanes.set(name, lane)
    }
    return lane
  }

  function go(lane) {
    const most = lane.failures >= TROUBLE_AFTER ? 1 : LANE_LOADS
    for (const key of lane.queue) {
      if (lane.loads >= most || lane.timer !== undefined) return
      lane.queue.delete(key)
      const tile = tiles.get(key)
      const shot = tile?.wanted
      if (tile !== undefined && shot !== undefined) void run(lane, key, tile, shot)
    }
  }

  async function run(lane, key, tile, shot) {
    const abort = new AbortController()
    let isSlow = false
    Object.assign(tile, { wanted: undefined, loading: shot, abort })
    lane.loads += 1
    const timer = schedule(() => {
      isSlow = true
      abort.abort()
    }, LOAD_TIMEOUT_MS)
    try {
      const picture = await load(key, shot, abort.signal)
      settle(lane, true)
      if (!abort.signal.aborted) {
        tile.shown = shot.seq
        shown(key, shot, picture)
      }
    } catch {
      // Out of view, or another shot by now: nobody waits for it.
      if (isSlow || !abort.signal.aborted) {
        settle(lane, false)
        failed(key, shot, isSlow ? 'slow' : 'refused')
      }
    } finally {
      cancel(timer)
      lane.loads -= 1
      if (tile.loading === shot) tile.loading = undefined
      if (tile.wanted !== undefined && tiles.get(key) === tile) enqueue(key, tile.wanted)
      go(lane)
    }
  }

  function settle(lane, isGood) {
    if (isGood) {
      cancel(lane.timer)
      Object.assign(lane, { failures: 0, pauseMs: FIRST_PAUSE_MS, timer: undefined })
      return
    }
    lane.failures += 1
    if (lane.failures < TROUBLE_AFTER || lane.timer !== undefined) return
    lane.timer = schedule(() => {
      lane.timer = undefined
      go(lane)
    }, lane.pauseMs)
    lane.pauseMs = Math.min(LONGEST_PAUSE_MS, lane.pauseMs * 2)
  }

  function enqueue(key, shot) {
    const lane = laneOf(shot)
    lane.queue.add(key)
    go(lane)
  }

  return {
    /** The tile is in view, and this is its latest shot. @param {Shot} shot */
    want(key, shot) {
      let tile = tiles.get(key)
      if (tile === undefined) {
        tile = { shown: 0 }
        tiles.set(key, tile)
      }
      const newest = Math.max(tile.shown, tile.loading?.seq ?? 0, tile.wanted?.seq ?? 0)
      if (shot.seq <= newest) return
      tile.wanted = shot
      if (tile.loading === undefined) enqueue(key, shot)
    },
    /** The tile is out of view: nothing is loaded for it. */
    drop(key) {
      const tile = tiles.get(key)
      if (tile === undefined) return
      tile.abort?.abort()
      Object.assign(tile, { wanted: undefined, loading: undefined })
    },
    /** The tile is gone. */
    forget(key) {
      this.drop(key)
      tiles.delete(key)
    },
    /** Whether no bucket gives pictures at present. */
    isInTrouble() {
      const list = [...lanes.values()]
      return list.length > 0 && list.every(({ failures }) => failures >= TROUBLE_AFTER)
    },
  }
}
