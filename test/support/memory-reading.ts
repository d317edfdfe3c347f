// Looking into a store in memory, as the port says.
import { matchesBody, matchesEnvelope } from '../../src/core/events/event-filter.ts'
import { type StoredEvent, understandEvent } from '../../src/core/events/snapshot-event.ts'
import { intervalOf, streamState, withGap } from '../../src/core/events/stream-state.ts'
import { fitName } from '../../src/core/printable.ts'
import type { Reading, StreamSummary } from '../../src/ports/reading.ts'

/** `events` are what is kept, in the order of the log; `check` throws while the store fails. */
export function memoryReading(events: () => readonly StoredEvent[], check: () => void): Reading {
  const bodyOf = (event: StoredEvent) => understandEvent(event)

  function summaries(): StreamSummary[] {
    const groups = Map.groupBy(events(), (event) => {
      const { app, stream } = bodyOf(event)
      return `${event.domain}\n${app}\n${stream}`
    })
    return [...groups.values()].map((group) => {
      const shots = group
        .map((event) => {
          const body = bodyOf(event)
          const { receivedAt } = event
          return { ...event, ...body, shotAt: Math.min(body.capturedAt ?? receivedAt, receivedAt) }
        })
        .toSorted((a, b) => a.shotAt - b.shotAt || a.seq - b.seq)
      const latest = shots.at(-1) as (typeof shots)[number]
      let gaps: readonly number[] = []
      for (const [index, shot] of shots.entries()) {
        const before = shots[index - 1]
        if (before !== undefined) gaps = withGap(gaps, shot.shotAt - before.shotAt)
      }
      const { domain, app, stream, id, seq, bucket, endpoint, object } = latest
      return {
        domain,
        app: app && fitName(app),
        stream: stream && fitName(stream),
        latest: {
          ...{ id, seq, bucket, endpoint, object },
          capturedAt: latest.capturedAt,
          receivedAt: latest.receivedAt,
        },
        events: group.length,
        firstSeenAt: Math.min(...group.map(({ receivedAt }) => receivedAt)),
        intervalMs: intervalOf(gaps),
        seenAt: Math.max(...group.map(({ receivedAt }) => receivedAt)),
      }
    })
  }

  return {
    async findEvents(query) {
      check()
      const { order, after, limit } = query
      const all = order === 'asc' ? [...events()] : events().toReversed()
      const found = all
        .filter(({ seq }) => after === null || (order === 'asc' ? seq > after : seq < after))
        .filter((event) => matchesEnvelope(query, event) && matchesBody(query, bodyOf(event)))
      const page = upToBytes(found.slice(0, limit), query.maxBytes ?? Number.POSITIVE_INFINITY)
      const next = found.length > page.length ? (page.at(-1)?.seq ?? null) : null
      return { events: page, next, kept: rangeOf(events()) }
    },
    async findEvent(id) {
      check()
      return events().find((event) => event.id === id) ?? null
    },
    async logRange() {
      check()
      return rangeOf(events())
    },
    async findStreams(query) {
      check()
      const { domain, app, q, state, order, after, limit, now } = query
      const nameOf = (each: Pick<StreamSummary, 'domain' | 'app' | 'stream'>) =>
        [each.domain, each.app ?? '', each.stream ?? ''].join('\0')
      const compare = {
        name: (a: StreamSummary, b: StreamSummary) => (nameOf(a) < nameOf(b) ? -1 : 1),
        recent: (a: StreamSummary, b: StreamSummary) => b.latest.seq - a.latest.seq,
        stalest: (a: StreamSummary, b: StreamSummary) => a.latest.seq - b.latest.seq,
      }[order]
      const found = summaries()
        .filter((each) => domain === null || each.domain === domain)
        .filter((each) => app === null || each.app === app)
        .filter((each) => {
          const name = `${each.app ?? ''}/${each.stream ?? ''}`.toLowerCase()
          return q === null || name.includes(q.toLowerCase())
        })
        .filter(
          (each) => state === null || streamState(now - each.seenAt, each.intervalMs) === state,
        )
        .toSorted(compare)
        .filter((each) => {
          if (after === null) return true
          if (!('seq' in after)) return nameOf(each) > nameOf(after)
          return order === 'recent' ? each.latest.seq < after.seq : each.latest.seq > after.seq
        })
      const streams = found.slice(0, limit)
      const last = found.length > limit ? streams.at(-1) : undefined
      if (last === undefined) return { streams, next: null }
      const position = { domain: last.domain, app: last.app, stream: last.stream }
      return { streams, next: order === 'name' ? position : { seq: last.latest.seq } }
    },
    async fillStreams() {
      check()
      return { seconds: 0, isMore: false }
    },
  }
}

function rangeOf(events: readonly StoredEvent[]) {
  return { first: events[0]?.seq ?? 1, last: events.at(-1)?.seq ?? 0 }
}

function upToBytes(events: readonly StoredEvent[], most: number): StoredEvent[] {
  let bytes = 0
  return events.filter(({ body }, index) => {
    bytes += body.byteLength
    return index === 0 || bytes <= most
  })
}
