// Which picture is loaded when: one load in flight a tile, and the newest shot wins. A bucket has a lane of a
// few loads, so that it holds up only itself, and of so many a beat; one that fails is tried ever more seldom.

/** As many connections to one host has a browser. */
export const LANE_LOADS = 6
/** More would leave a slow machine no time for else. */
const BEAT_LOADS = 24
const LOAD_TIMEOUT_MS = 15_000
const TROUBLE_AFTER = 4
const FIRST_PAUSE_MS = 4_000
const LONGEST_PAUSE_MS = 30_000

/** @template P @param {Wall.PictureDeps<P>} deps */
export function createPictures({ load, shown, failed, schedule, cancel }) {
	/** @type {Map<string, Wall.PictureTile>} */
	const tiles = new Map()
	const lanes = new Map()

	function enqueue(key, { bucket, endpoint }) {
		const name = `${endpoint}/${bucket}`
		if (!lanes.has(name)) {
			lanes.set(name, { queue: new Set(), loads: 0, left: BEAT_LOADS, failures: 0, pauseMs: FIRST_PAUSE_MS })
		}
		const lane = lanes.get(name)
		lane.queue.add(key)
		go(lane)
	}

	function go(lane) {
		const most = lane.failures >= TROUBLE_AFTER ? 1 : LANE_LOADS
		for (const key of lane.queue) {
			if (lane.loads >= most || lane.left === 0 || lane.timer !== undefined) return
			lane.queue.delete(key)
			const tile = tiles.get(key)
			if (tile?.wanted !== undefined) void run(lane, key, tile, tile.wanted)
		}
	}

	async function run(lane, key, tile, shot) {
		const abort = new AbortController()
		const { signal } = abort
		Object.assign(tile, { wanted: undefined, loading: shot, abort })
		lane.loads += 1
		lane.left -= 1
		const timer = schedule(() => abort.abort('slow'), LOAD_TIMEOUT_MS)
		try {
			const picture = await load(key, shot, signal)
			settle(lane, true)
			if (!signal.aborted) {
				tile.shown = shot.seq
				shown(key, picture, shot)
			}
		} catch {
			// Nobody waits for what is out of view.
			if (!signal.aborted || signal.reason === 'slow') {
				settle(lane, false)
				tile.failed = shot.seq
				failed(key, shot, signal.aborted ? 'slow' : 'refused')
			}
		}
		cancel(timer)
		lane.loads -= 1
		if (tile.loading === shot) Object.assign(tile, { loading: undefined, abort: undefined })
		if (tile.wanted !== undefined && tiles.get(key) === tile) enqueue(key, tile.wanted)
		go(lane)
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

	return {
		/** The tile is in view, and this is its latest shot. */
		want(key, shot) {
			const tile = tiles.get(key) ?? { shown: 0, failed: 0 }
			tiles.set(key, tile)
			const newest = Math.max(tile.shown, tile.failed, tile.loading?.seq ?? 0, tile.wanted?.seq ?? 0)
			if (shot.seq <= newest) return
			tile.wanted = shot
			if (tile.loading === undefined) enqueue(key, shot)
		},
		/** The tile is out of view. */
		drop(key) {
			const tile = tiles.get(key)
			tile?.abort?.abort()
			if (tile !== undefined) Object.assign(tile, { wanted: undefined, loading: undefined })
		},
		forget(key) {
			this.drop(key)
			tiles.delete(key)
		},
		beat() {
			for (const lane of lanes.values()) {
				lane.left = BEAT_LOADS
				go(lane)
			}
		},
		/** What failed is tried again, once. */
		forgive() {
			for (const tile of tiles.values()) tile.failed = 0
		},
		isInTrouble: () => [...lanes.values()].every(({ failures }) => failures >= TROUBLE_AFTER),
	}
}
