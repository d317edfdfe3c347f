// The probe against real listeners: ours, something else, and nobody.
import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterEach, expect, test } from 'vitest'
import { secretFrom } from '../../../src/core/keys/notify-key.ts'
import { sendProbe } from '../../../src/http/public/probe.ts'
import { PROBED } from '../fakes.ts'
import { useListeners } from '../harness.ts'

const NONCE = 'nonce-of-a-probe-1'
const never = new AbortController().signal
const harness = useListeners()
const servers: Server[] = []

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
})

async function somethingElse(answer: RequestListener): Promise<string> {
  const server = createServer(answer)
  servers.push(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const probe = (url: string, secrets = PROBED.secrets, signal = never) =>
  sendProbe(url, NONCE, secrets, signal)

test('reaches a snaphook with our secret, with or without a slash at the end', async () => {
  const { url } = await harness.start()
  expect(await probe(url)).toEqual({ result: 'reached', detail: null })
  expect(await probe(`${url}/`)).toEqual({ result: 'reached', detail: null })
})

test('a snaphook with another secret is a mismatch', async () => {
  const { url } = await harness.start()
  const other = [secretFrom(new Uint8Array(32).fill(9))]
  expect(await probe(url, other)).toMatchObject({ result: 'mismatch' })
})

test.each([
  ['a page', '<html>'],
  ['other JSON', '{"answers":"none"}'],
  ['null', 'null'],
  ['nothing', ''],
  ['more than is read', 'x'.repeat(100_000)],
])('200 with %s is a mismatch', async (_, body) => {
  const url = await somethingElse((_request, response) => response.end(body))
  expect(await probe(url)).toMatchObject({ result: 'mismatch' })
})

test('another status is no answer, and a redirect is not followed', async () => {
  const { url } = await harness.start()
  expect(await probe(`${url}/elsewhere`)).toEqual({
    result: 'no_answer',
    detail: 'answered 404',
  })
  const redirecting = await somethingElse((request, response) =>
    response.writeHead(302, { location: url + request.url }).end(),
  )
  expect(await probe(redirecting)).toEqual({ result: 'no_answer', detail: 'answered 302' })
})

test('nobody there: the reason has the code of the network', async () => {
  const url = await somethingElse(() => undefined)
  await new Promise((resolve) => servers.pop()?.close(resolve))
  expect(await probe(url)).toEqual({
    result: 'no_answer',
    detail: 'could not be reached (ECONNREFUSED)',
  })
})

test('a stop ends a probe that nobody answers', async () => {
  const stopping = new AbortController()
  const url = await somethingElse(() => stopping.abort())
  expect(await probe(url, PROBED.secrets, stopping.signal)).toMatchObject({ result: 'no_answer' })
})
