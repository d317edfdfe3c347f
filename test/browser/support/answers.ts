// How the fakes listen, read and answer.
import type { Server, ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Readable } from 'node:stream'

export function json(response: ServerResponse, body: unknown) {
  response.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify(body))
}

export function problem(
  response: ServerResponse,
  body: { status: number; title: string; detail: string },
) {
  response
    .writeHead(body.status, { 'Content-Type': 'application/problem+json' })
    .end(JSON.stringify(body))
}

export async function text(stream: Readable): Promise<string> {
  let all = ''
  for await (const chunk of stream.setEncoding('utf8')) all += chunk
  return all
}

export async function listen(server: Server, port: number): Promise<number> {
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve))
  return (server.address() as AddressInfo).port
}
