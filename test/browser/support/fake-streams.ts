// Streams whose past can be made up, and how the contract of /v1 shows them.

export type FakeStream = {
  domain: string
  app: string | null
  stream: string | null
  intervalSeconds: number | null
  shots: FakeEvent[]
}
export type FakeEvent = {
  id: string
  time: string
  data: Record<string, unknown> & { seq: number; receivedAt: string }
}

/** `onShot` is told of each shot as it comes. */
export function createFakeStreams(onShot: (event: FakeEvent) => void) {
  const streams: FakeStream[] = []
  let seq = 0
  return { streams, add, shoot, recordOf, all, find }

  /** A stream whose last shot was `agoMs` ago. */
  function add(
    name: string,
    {
      agoMs = 0,
      intervalSeconds = 5 as number | null,
      app = 'live' as string | null,
      domain = 'play.example.com',
    } = {},
  ): FakeStream {
    const stream: FakeStream = { domain, app, stream: name, intervalSeconds, shots: [] }
    streams.push(stream)
    shoot(stream, { agoMs })
    return stream
  }

  function shoot(
    stream: FakeStream,
    { agoMs = 0, flags = [] as string[], raw = undefined as string | undefined } = {},
  ): FakeEvent {
    seq += 1
    const receivedAt = new Date(Date.now() - agoMs).toISOString()
    const capturedAt = new Date(Date.now() - agoMs - 300).toISOString()
    const object = `${stream.app}/${stream.stream}/${seq}.jpg`
    const event = {
      id: `${seq}`.padStart(64, 'e'),
      time: capturedAt,
      data: {
        domain: stream.domain,
        app: stream.app,
        stream: stream.stream,
        bucket: 'snapshots',
        endpoint: 'oss-cn-shanghai.aliyuncs.com',
        object,
        capturedAt,
        receivedAt,
        origin: 'callback',
        seq,
        flags,
        raw:
          raw ??
          JSON.stringify({
            DomainName: stream.domain,
            AppName: stream.app,
            StreamName: stream.stream,
            OssObject: object,
          }),
      },
    }
    stream.shots.push(event)
    if (stream.shots.length > 60) stream.shots.shift()
    onShot(event)
    return event
  }

  function recordOf({ shots, ...names }: FakeStream) {
    const latest = shots.at(-1) as FakeEvent
    const { bucket: bucketName, endpoint, object, capturedAt, receivedAt } = latest.data
    return {
      ...names,
      latest: {
        id: latest.id,
        seq: latest.data.seq,
        bucket: bucketName,
        endpoint,
        object,
        capturedAt,
        receivedAt,
      },
      events: shots.length,
      firstSeenAt: shots[0]?.data.receivedAt,
      state: 'live',
    }
  }

  function all(): FakeEvent[] {
    return streams.flatMap(({ shots }) => shots).sort((a, b) => b.data.seq - a.data.seq)
  }

  function find(query: URLSearchParams): FakeEvent[] {
    const since = query.get('until') === '1m' ? Date.now() - 60_000 : Number.POSITIVE_INFINITY
    return all()
      .filter(({ data }) =>
        ['domain', 'app', 'stream'].every((name) => [null, data[name]].includes(query.get(name))),
      )
      .filter(({ data }) => Date.parse(data.receivedAt) < since)
      .slice(0, Number(query.get('limit') ?? 100))
  }
}
