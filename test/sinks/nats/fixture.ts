// What the tests of the NATS sink share: sinks that are closed, the vendor's client, and what is in the stream.
import { jetstream, jetstreamManager, type StreamConfig } from '@nats-io/jetstream'
import { connect } from '@nats-io/transport-node'
import { onTestFinished } from 'vitest'
import { createNatsSink } from '../../../src/sinks/nats/sink.ts'
import type { Server } from '../../support/network/servers.ts'
import { until } from '../../support/until.ts'

const SUBJECT = 'snapshots.{domain}.{app}.{stream}'

export function sinkTo(port: number, { login = '', subject = SUBJECT, timeoutMs = 10_000 } = {}) {
  const url = `nats://${login}127.0.0.1:${port}?subject=${subject}`
  const sink = createNatsSink({ name: 'nats', url, timeoutMs })
  onTestFinished(() => sink.close())
  return sink
}

export async function clientOf({ port }: Server, login: { user?: string; pass?: string } = {}) {
  const client = await connect({ servers: `127.0.0.1:${port}`, reconnect: false, ...login })
  onTestFinished(() => client.close())
  const manager = await jetstreamManager(client, { checkAPI: false })
  return { client, streams: manager.streams, jetStream: jetstream(client) }
}

/** Makes the stream that an operator would have made. */
export async function addStream(server: Server, over: Partial<StreamConfig> = {}) {
  const { streams } = await clientOf(server)
  // The server listens a moment before JetStream is up.
  await until('the stream', () =>
    streams.add({ name: 'SNAPSHOTS', subjects: ['snapshots.>'], ...over }).catch(() => null),
  )
}

export async function messagesOf(server: Server) {
  const { streams } = await clientOf(server)
  const stream = await streams.get('SNAPSHOTS')
  const { state } = await stream.info()
  const messages = []
  for (let seq = state.first_seq; seq <= state.last_seq; seq += 1) {
    const message = await stream.getMessage({ seq })
    if (message === null) continue
    const { header, subject } = message
    messages.push({ subject, header, event: message.json<{ id: string }>() })
  }
  return messages
}

export const idsOf = async (server: Server) =>
  (await messagesOf(server)).map(({ event }) => event.id)
