// The streams that the page knows: filled from the API, kept up by events, and put in the order of
// a view. No DOM and no clock: `now` is passed in, epoch ms by the clock of the service.
/** @import { CloudEvent, Shot, State, Stream, StreamRecord, View } from '../types.d.ts' */

/** Intervals without a shot before a stream is late or silent, and the least time for each. */
const LATE = { intervals: 3, least: 30_000 }
const SILENT = { intervals: 10, least: 5 * 60_000 }

/** What names a stream on this page and in its URL: `domain/app/stream`, each part encoded. */
export function keyOf({ domain, app, stream }) {
  return [domain, app ?? '', stream ?? ''].map(encodeURIComponent).join('/')
}

export function namesOf(key) {
  const [domain = '', app = '', stream = ''] = key.split('/').map(decoded)
  return { domain, app: app || null, stream: stream || null }
}

function decoded(part) {
  try {
    return decodeURIComponent(part)
  } catch {
    return part
  }
}

export function titleOf({ app, stream }) {
  return stream ?? (app === null ? 'without a name' : `${app}, without a name`)
}

/**
 * As the service reckons it: a stream whose interval is not known is never late.
 * @param {Pick<Stream, 'seenAt' | 'intervalSeconds'>} stream
 * @returns {State}
 */
export function stateOf({ seenAt, intervalSeconds }, now) {
  const age = now - seenAt
  const interval = (intervalSeconds ?? 0) * 1000
  if (age >= Math.max(SILENT.least, SILENT.intervals * interval)) return 'silent'
  if (interval > 0 && age >= Math.max(LATE.least, LATE.intervals * interval)) return 'late'
  return 'live'
}

const collator = new Intl.Collator('en', { numeric: true })

/** @param {Stream} a @param {Stream} b */
function byName(a, b) {
  return (
    collator.compare(titleOf(a), titleOf(b)) ||
    collator.compare(a.app ?? '', b.app ?? '') ||
    collator.compare(a.domain, b.domain)
  )
}

/** @param {Shot} shot */
function timesOf(shot) {
  const seenAt = Date.parse(shot.receivedAt)
  const takenAt = shot.capturedAt === null ? seenAt : Date.parse(shot.capturedAt)
  // A capture time ahead of its receipt is a clock that is wrong: no shot is younger than that.
  return { seenAt, takenAt: Math.min(seenAt, takenAt) }
}

export function createStreams() {
  /** @type {Map<string, Stream>} */
  const streams = new Map()
  /** @type {Stream[] | undefined} */
  let named

  /** @param {StreamRecord} record @returns {Stream} */
  function toStream({ domain, app, stream, latest, events, firstSeenAt, intervalSeconds }) {
    const names = { domain, app, stream }
    const known = { events, firstSeenAt, intervalSeconds }
    return { key: keyOf(names), ...names, latest, ...timesOf(latest), ...known }
  }

  /** @param {Stream} next */
  function put(next) {
    const before = streams.get(next.key)
    if (before === undefined) named = undefined
    streams.set(next.key, next)
  }

  return {
    /** The whole list anew, but for what events have told since. @param {StreamRecord[]} records */
    replace(records) {
      const before = new Map(streams)
      streams.clear()
      named = undefined
      for (const record of records) {
        const next = toStream(record)
        const old = before.get(next.key)
        const isOlder = old !== undefined && old.latest.seq > next.latest.seq
        const { latest, seenAt, takenAt } = isOlder ? old : next
        put({ ...next, latest, seenAt, takenAt })
      }
    },
    /**
     * Takes one event in. Says which stream it is of, or undefined where it shows nothing newer:
     * a shot that the audit found, or one that came before.
     * @param {CloudEvent} event
     */
    apply({ id, data }) {
      const key = keyOf(data)
      const known = streams.get(key)
      const { seq, bucket, endpoint, object, capturedAt, receivedAt } = data
      const latest = { id, seq, bucket, endpoint, object, capturedAt, receivedAt }
      const times = timesOf(latest)
      if (known !== undefined) {
        if (seq <= known.latest.seq) return undefined
        if (data.origin !== 'callback' && times.takenAt <= known.takenAt) return undefined
        Object.assign(known, { latest, ...times, events: known.events + 1 })
        return key
      }
      const names = { domain: data.domain, app: data.app, stream: data.stream }
      const first = { events: 1, firstSeenAt: receivedAt, intervalSeconds: null }
      put({ key, ...names, latest, ...times, ...first })
      return key
    },
        get: (key) => streams.get(key),
    all: () => streams.values(),
    get size() {
      return streams.size
    },
    /** The highest seq that was seen: events after it are news. */
    lastSeq: () => Math.max(0, ...[...streams.values()].map(({ latest }) => latest.seq)),
    /** @param {View} view @returns {Stream[]} */
    arrange(view, now) {
      named ??= [...streams.values()].sort(byName)
      const wanted = named.filter((stream) => matches(stream, view, now))
      if (view.order === 'recent') wanted.sort((a, b) => b.seenAt - a.seenAt)
      if (view.order === 'stalest') wanted.sort((a, b) => a.seenAt - b.seenAt)
      if (view.pins.length === 0) return wanted
      const pins = new Set(view.pins)
      const isPinned = ({ key }) => pins.has(key)
      return [...wanted.filter(isPinned), ...wanted.filter((stream) => !isPinned(stream))]
    },
    /** @param {View} view */
    counts(view, now) {
      const counts = { all: 0, live: 0, late: 0, silent: 0, unknown: 0 }
      for (const stream of streams.values()) {
        if (!matches(stream, { ...view, state: '' }, now)) continue
        counts.all += 1
        counts[stateOf(stream, now)] += 1
      }
      return counts
    },
  }
}

/** @param {Stream} stream @param {View} view */
function matches(stream, { q, domain, app, state }, now) {
  if (domain !== '' && stream.domain !== domain) return false
  if (app !== '' && stream.app !== app) return false
  if (state !== '' && stateOf(stream, now) !== state) return false
  if (q === '') return true
  const part = q.toLowerCase()
  return [stream.domain, stream.app, stream.stream].some((name) =>
    name?.toLowerCase().includes(part),
  )
}
