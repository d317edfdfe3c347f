// `redis://…?stream=…` adds each event to a Redis stream. A batch is one transaction: all of it or
// none, so that no event overtakes one that was refused. Delivered means that EXEC has answered.
import type { RedisClientType } from '@redis/client'
import { type StoredEvent, toCloudEvent } from '../../core/events/snapshot-event.ts'
import { Problem } from '../../core/problem.ts'
import type { Sink } from '../../ports/sink.ts'
import { createLink } from '../connection/link.ts'
import { placeReader, readableOf, readServerUrl } from '../connection/server-url.ts'
import type { SinkKind } from '../sink-kind.ts'
import { outcomeOf } from './fault.ts'

const PORT = 6_379
/** A handshake takes milliseconds; a host that drops packets would else be waited for for minutes. */
const CONNECT_TIMEOUT_MS = 5_000
/** For a batch, with the connection where there is none; a server that saves may pause for seconds. */
const TIMEOUT_MS = 10_000

type Place = {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly user: string
  readonly password: string
  readonly database: number
  readonly stream: string
  /** About so many entries are kept; undefined: all. */
  readonly maxLength: number | undefined
}

const { problem, placeOf } = placeReader(readPlace)

export const REDIS: SinkKind = {
  readable: (url) => readableOf(url, { tls: 'rediss:' }),
  problem,
  create: (setting) => createRedisSink(setting),
}

export function createRedisSink(options: {
  readonly name: string
  readonly url: string
  readonly timeoutMs?: number
}): Sink {
  const { name, timeoutMs = TIMEOUT_MS } = options
  const place = placeOf(options)
  const link = createLink({
    open: (lost) => connect(place, lost),
    end: (client) => client.destroy(),
    limitMs: timeoutMs,
  })
  const { stream, maxLength } = place
  const trim =
    maxLength === undefined
      ? {}
      : ({ TRIM: { strategy: 'MAXLEN', strategyModifier: '~', threshold: maxLength } } as const)

  async function add(client: RedisClientType, events: readonly StoredEvent[]): Promise<void> {
    const transaction = client.multi()
    for (const event of events) {
      const entry = { id: event.id, event: JSON.stringify(toCloudEvent(event)) }
      transaction.xAdd(stream, '*', entry, trim)
    }
    await transaction.exec()
  }

  return {
    name,
    async deliver(events, signal) {
      try {
        await link.use((client) => add(client, events), signal)
        return { kind: 'delivered' }
      } catch (error) {
        return outcomeOf(error)
      }
    },
    async check(signal) {
      try {
        await link.use((client) => client.ping(), signal)
        return { reachable: true, detail: `${place.host}:${place.port} lets us in` }
      } catch (error) {
        const { reason } = outcomeOf(error)
        return { reachable: false, detail: `${place.host}:${place.port}: ${reason}` }
      }
    },
    close: () => link.close(),
  }
}

function readPlace(url: string): Place | Problem {
  const names = ['stream', 'maxlen']
  const read = readServerUrl(url, { port: PORT, tls: 'rediss:', query: names })
  if (read instanceof Problem) return read
  const { path, query, ...server } = read
  const stream = query.get('stream') ?? ''
  const maxLength = query.get('maxlen')
  if (stream === '') return new Problem('must name a stream: ?stream=snapshots')
  if (!/^\d{0,4}$/.test(path))
    return new Problem('must have a database number as its path, or none')
  if (maxLength !== undefined && !/^[1-9]\d{0,14}$/.test(maxLength)) {
    return new Problem('must have a whole number as maxlen')
  }
  return {
    ...server,
    stream,
    database: Number(path),
    maxLength: maxLength === undefined ? undefined : Number(maxLength),
  }
}

/** The client is loaded here: it takes a quarter of a second, which only its users should wait. */
async function connect(place: Place, lost: () => void): Promise<RedisClientType> {
  const { host, port, tls, user, password, database } = place
  const { createClient } = await import('@redis/client')
  const client = createClient({
    // What servers of every age and kind speak, with no greeting that one of them may not know.
    RESP: 2,
    disableClientInfo: true,
    maintNotifications: 'disabled',
    disableOfflineQueue: true,
    database,
    ...(user !== '' && { username: user }),
    ...(password !== '' && { password }),
    socket: {
      host,
      port,
      ...(tls && { tls, servername: host }),
      connectTimeout: CONNECT_TIMEOUT_MS,
      reconnectStrategy: false,
    },
  }) as unknown as RedisClientType
  client.on('error', lost)
  client.on('end', lost)
  try {
    await client.connect()
  } catch (error) {
    client.destroy()
    throw error
  }
  return client
}
