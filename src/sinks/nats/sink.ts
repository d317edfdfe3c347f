// `nats://…?subject=…` publishes each event to a JetStream stream, which has to be there. Delivered
// means that the stream has acknowledged it. Events are on their way together, each under the
// condition that the one before it is the last of the stream: none overtakes one that was refused.
import type { JetStreamClient } from '@nats-io/jetstream'
import type { MsgHdrs, NatsConnection } from '@nats-io/transport-node'
import {
  deliveryId,
  type SnapshotCloudEvent,
  type StoredEvent,
  toCloudEvent,
} from '../../core/events/snapshot-event.ts'
import { Problem } from '../../core/problem.ts'
import type { Sink } from '../../ports/sink.ts'
import { createLink } from '../connection/link.ts'
import { placeReader, readableOf, readServerUrl } from '../connection/server-url.ts'
import type { SinkKind } from '../sink-kind.ts'
import { isForbidden, noStream, outcomeOf } from './fault.ts'
import { isOvertaken } from './jetstream-errors.ts'
import { subjectOf, subjectProblem, subjectsOf } from './subject.ts'

const PORT = 4_222
/** A handshake takes milliseconds; a host that drops packets would else be waited for for minutes. */
const CONNECT_TIMEOUT_MS = 5_000
/** For a batch, with the connection where there is none. */
const TIMEOUT_MS = 10_000
/** A batch of the dispatcher. */
const MAX_IN_FLIGHT = 100

type Place = {
  readonly host: string
  readonly port: number
  readonly tls: boolean
  readonly user: string
  readonly password: string
  readonly subject: string
}
type Connection = {
  readonly nats: NatsConnection
  readonly jetStream: JetStreamClient
  readonly newHeaders: () => MsgHdrs
}

const { problem, placeOf } = placeReader(readPlace)

export const NATS: SinkKind = {
  // It goes over to TLS if the server wants it, but does not insist.
  readable: (url) => readableOf(url, { tls: 'tls:' }),
  problem,
  create: (setting) => createNatsSink(setting),
}

export function createNatsSink(options: {
  readonly name: string
  readonly url: string
  readonly timeoutMs?: number
}): Sink {
  const { name, timeoutMs = TIMEOUT_MS } = options
  const place = placeOf(options)
  const { host, port, subject } = place
  const subjects = subjectsOf(subject)
  const link = createLink({
    open: (lost) => connect(place, lost),
    end: ({ nats }) => void nats.close().catch(() => undefined),
    limitMs: timeoutMs,
  })
  /** Fewer where somebody else writes to the stream in between, and the condition fails. */
  let inFlight = MAX_IN_FLIGHT

  function publish(
    { jetStream, newHeaders }: Connection,
    event: SnapshotCloudEvent,
    after: SnapshotCloudEvent | undefined,
  ): Promise<unknown> {
    const headers = newHeaders()
    headers.set('content-type', 'application/cloudevents+json')
    return jetStream.publish(subjectOf(subject, event.data), JSON.stringify(event), {
      headers,
      msgID: deliveryId(event),
      timeout: timeoutMs,
      ...(after !== undefined && { expect: { lastMsgID: deliveryId(after) } }),
    })
  }

  /** Publishes some of `events`; returns how many the stream took, and what the next one met. */
  async function publishSome(connection: Connection, events: readonly SnapshotCloudEvent[]) {
    const some = events.slice(0, inFlight)
    const answers = await Promise.allSettled(
      some.map((event, index) => publish(connection, event, some[index - 1])),
    )
    const index = answers.findIndex(({ status }) => status === 'rejected')
    const answer = answers[index]
    if (answer?.status !== 'rejected') {
      inFlight = Math.min(2 * inFlight, MAX_IN_FLIGHT)
      return { taken: some.length }
    }
    if (!isOvertaken(answer.reason)) return { taken: index, fault: answer.reason as unknown }
    // The first one has no condition, so at least that was taken.
    inFlight = Math.ceil(inFlight / 2)
    return { taken: index }
  }

  return {
    name,
    async deliver(events, signal) {
      let confirmed = 0
      try {
        await link.use(async (connection) => {
          const cloudEvents = events.map(toCloudEvent)
          while (confirmed < events.length) {
            const { taken, fault } = await publishSome(connection, cloudEvents.slice(confirmed))
            confirmed += taken
            if (fault !== undefined) throw fault
          }
        }, signal)
        return { kind: 'delivered' }
      } catch (error) {
        // Too late by a moment, with all of them acknowledged.
        if (confirmed === events.length) return { kind: 'delivered' }
        const { data } = toCloudEvent(events[confirmed] as StoredEvent)
        return { ...outcomeOf(error, subjects, subjectOf(subject, data)), confirmed }
      }
    },
    async check(signal) {
      const place = `${host}:${port}`
      try {
        const found = await link.use((connection) => findStreams(connection, subjects), signal)
        if (found?.length === 0)
          return { reachable: false, detail: `${place}: ${noStream(subjects)}` }
        const streams = found === undefined ? '' : `; stream ${found.join(', ')}`
        return { reachable: true, detail: `${place} lets us in${streams}` }
      } catch (error) {
        return { reachable: false, detail: `${place}: ${outcomeOf(error, subjects).reason}` }
      }
    },
    close: () => link.close(),
  }
}

/** The clients are loaded here: it takes a quarter of a second, which only their users should wait. */
async function connect(place: Place, lost: () => void): Promise<Connection> {
  const { host, port, tls, user, password } = place
  const [{ connect: open, headers }, { jetstream }] = await Promise.all([
    import('@nats-io/transport-node'),
    import('@nats-io/jetstream'),
  ])
  const nats = await open({
    servers: `${host.includes(':') ? `[${host}]` : host}:${port}`,
    name: 'snaphook',
    ...(tls && { tls: {} }),
    ...loginOf(user, password),
    timeout: CONNECT_TIMEOUT_MS,
    reconnect: false,
    noAsyncTraces: true,
  })
  void nats.closed().then(lost)
  return { nats, jetStream: jetstream(nats), newHeaders: headers }
}

/** One word in front of the host is a token, as in the URLs of other clients. */
function loginOf(user: string, password: string) {
  if (user === '') return {}
  return password === '' ? { token: user } : { user, pass: password }
}

/** Streams that take some of `subjects`; undefined where we may not look. */
async function findStreams({ nats }: Connection, subjects: string): Promise<string[] | undefined> {
  const { jetstreamManager } = await import('@nats-io/jetstream')
  const { streams } = await jetstreamManager(nats, { checkAPI: false })
  try {
    return await streams.names(subjects).next()
  } catch (error) {
    if (isForbidden(error)) return undefined
    throw error
  }
}

function readPlace(url: string): Place | Problem {
  const read = readServerUrl(url, { port: PORT, tls: 'tls:', query: ['subject'] })
  if (read instanceof Problem) return read
  const { path, query, ...server } = read
  const subject = query.get('subject') ?? ''
  const problem = path === '' ? subjectProblem(subject) : 'must have no path'
  return problem === undefined ? { ...server, subject } : new Problem(problem)
}
