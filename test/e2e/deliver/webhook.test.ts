// The real command with a webhook sink: what a receiver refuses stays, what it rejects becomes a dead
// letter, and a command beside the running service has that delivered after all.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { expect, test } from 'vitest'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { nowSeconds, sendCallback } from '../../support/service/signed-callback.ts'
import {
  keyOf,
  metricsOf,
  readiness,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const SECRET = `whsec_${Buffer.alloc(32, 'a webhook secret').toString('base64')}`

/** A receiver that verifies; `judge` gives the status for the streams of a batch. */
async function receiver() {
  const it = { had: [] as string[], judge: (_streams: string[]) => 204, url: '' }
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const batch = new Webhook(SECRET).verify(body, request.headers as Record<string, string>)
    const streams = (batch as SnapshotCloudEvent[]).map(({ data }) => data.stream ?? '')
    const status = it.judge(streams)
    if (status === 204) it.had.push(...streams)
    response.writeHead(status).end()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  it.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  return Object.assign(it, {
    async [Symbol.asyncDispose]() {
      server.close()
      server.closeAllConnections()
    },
  })
}

onEachStore((own) => {
  test('a webhook gets all events in order; what it rejects is kept until it is tried again', async () => {
    await using sink = await receiver()
    await using stage = await setStage({}, own())
    const settings = {
      SNAPHOOK_SINKS: `stdout:,hook=${sink.url}`,
      SNAPHOOK_WEBHOOK_SECRET: SECRET,
    }
    sink.judge = () => 401
    const service = await stage.serve(settings)
    await settled(service)
    const shoot = async (stream: string, age: number) => {
      const body = JSON.stringify({
        DomainName: 'play.example.com',
        AppName: 'live',
        StreamName: stream,
      })
      const callback = { key: keyOf(0), timestamp: nowSeconds(-age), body }
      expect((await sendCallback(stage.callbackUrl(), callback)).status).toBe(200)
    }
    for (const [age, stream] of ['a', 'b', 'bad', 'c', 'd'].entries()) await shoot(stream, age)
    await until('the others to go on', () => service.events().length === 5)
    const state = await hookOf(service, 'refused')
    expect(state).toMatchObject({ lag: 5, detail: 'answered 401', deadLetters: 0 })
    expect(sink.had).toEqual([])

    sink.judge = (streams) => (streams.includes('bad') ? 422 : 204)
    await until('all but one', () => sink.had.length === 4)
    expect(sink.had).toEqual(['a', 'b', 'c', 'd'])
    const metrics = await until('the dead letter to be counted', async () => {
      const now = await metricsOf(service)
      return now.value('snaphook_dead_letters', { sink: 'hook' }) === 1 && now
    })
    expect(metrics.value('snaphook_sink_state', { sink: 'hook', state: 'ok' })).toBe(1)
    expect((await hookOf(service, 'ok')).lag).toBe(0)

    sink.judge = () => 204
    const retry = ['dead-letters', 'retry', '--sink', 'hook']
    expect((await stage.finish(retry, settings)).stdout).toMatch(/^1 to be tried again/)
    await until('the dead letter', () => sink.had.includes('bad'))
    await until('it to be gone', async () => (await hookOf(service, 'ok')).deadLetters === 0)
    expect(sink.had).toEqual(['a', 'b', 'c', 'd', 'bad'])
    service.kill('SIGTERM')
    expect(await service.ended).toBe(0)

    const without = await stage.serve({ ...settings, SNAPHOOK_SINKS: 'stdout:' })
    await until('the sink to be missed', () =>
      without.log().some(({ sink: name }) => name === 'hook'),
    )
  })
})

async function hookOf(service: Serving, state: string) {
  return until(`the hook to be ${state}`, async () => {
    const { sinks } = await readiness(service)
    return sinks.find((sink) => sink.name === 'hook' && sink.state === state)
  })
}
