// Receivers that are slow or small, over real sockets: what each takes is got through.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { createWebhookSink } from '../../src/sinks/webhook.ts'
import { deliverTo, identities, withoutRepeats } from '../support/flows/deliveries.ts'
import { listenHere } from '../support/service/listen-here.ts'
import { until } from '../support/until.ts'

async function hookTo(
  answer: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  timeoutMs = 15_000,
) {
  const server = createServer((request, response) => {
    answer(request, response).catch(() => response.destroy())
  })
  const port = await listenHere(server)
  const secrets = [`whsec_${Buffer.alloc(32).toString('base64')}`]
  const url = `http://127.0.0.1:${port}/`
  return createWebhookSink({ name: 'hook', url, secrets, now: Date.now, timeoutMs })
}

const idsIn = (body: string) => JSON.parse(body).map(({ id }: { id: string }) => id) as string[]

test('one that resets the connection above 16 KiB of body gets all, in order', async () => {
  const had: string[] = []
  let requests = 0
  const sink = await hookTo(async (request, response) => {
    requests += 1
    let body = ''
    for await (const chunk of request) {
      body += chunk
      if (body.length > 16 * 1024) return void request.socket.resetAndDestroy()
    }
    had.push(...idsIn(body))
    response.end()
  })
  await using run = deliverTo(sink)
  await run.append(100)
  await until('it to be sent less', () => (run.state()?.size.limit ?? 100) < 50)
  await run.all()
  expect(withoutRepeats(had)).toEqual(identities(100))
  expect(run.store.letters).toEqual([])
  expect(requests).toBeLessThan(40)
})

test('one that needs a while for each event gets all at its speed, and repeats end', async () => {
  const had: string[] = []
  let sent = 0
  const sink = await hookTo(async (request, response) => {
    const ids = idsIn(await text(request))
    sent += ids.length
    const { promise, resolve } = Promise.withResolvers<void>()
    setTimeout(resolve, 12 * ids.length)
    await promise
    if (response.destroyed) return
    had.push(...ids)
    response.end()
  }, 500)
  await using run = deliverTo(sink)
  await run.append(300)
  await run.all()
  expect(withoutRepeats(had)).toEqual(identities(300))
  expect(sent).toBeLessThan(3 * 300)
})
