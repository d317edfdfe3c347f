// Two services, each with a store of its own, behind one load balancer, and the audit on in both: each
// misses what the other one gets. Nothing is filled unasked, and both say that they doubt.
import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { text } from 'node:stream/consumers'
import { expect, test } from 'vitest'
import { serveHere } from '../../support/service/service-here.ts'
import { DOMAIN, readiness, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const STREAMS = ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']
/** As near as shots can be and still be told apart. */
const INTERVAL_MS = 2_000
/** So far each audit goes on after the first doubt: what is there by then was looked at. */
const LOOK_ON_MS = 2_000
const REPLICAS = ['one', 'other'] as const
/** A few seconds instead of minutes. */
const AUDIT = { marginMs: 4_000, firstAfterMs: 500 }

type Choose = (stream: string, turn: number) => number

/** A load balancer that sees which stream a callback is of. */
async function openBalancer(choose: Choose) {
  let behind: readonly string[] = []
  let turn = 0
  const server = createServer(async (request, response) => {
    const body = await text(request)
    const [, stream = ''] = /"StreamName":"(\w+)"/.exec(body) ?? []
    const target = behind[choose(stream, turn++) % Math.max(1, behind.length)]
    if (target === undefined) return void response.writeHead(502).end()
    const { host: _, connection: __, ...headers } = request.headers
    const { method = 'GET', url = '/' } = request
    const answer = await fetch(target + url, {
      ...{ method, headers: headers as Record<string, string> },
      ...(method === 'POST' && { body }),
    }).catch(() => new Response(null, { status: 502 }))
    response.writeHead(answer.status, { 'content-type': 'application/json' })
    response.end(await answer.text())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    lead(urls: readonly string[]): void {
      behind = urls
    },
    async [Symbol.asyncDispose](): Promise<void> {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

test.concurrent.each<[string, Choose]>([
  ['evenly, one callback after the other', (_, turn) => turn],
  ['sticky, each stream to one of them', (stream) => STREAMS.indexOf(stream)],
])('spread %s: nothing is filled by itself, both doubt', { timeout: 90_000 }, async (_, choose) => {
  await using balancer = await openBalancer(choose)
  await using stage = await setStage()
  await using running = new AsyncDisposableStack()
  const services = await Promise.all(
    REPLICAS.map(async (name) => {
      const settings = {
        ...{ SNAPHOOK_PUBLIC_URL: balancer.url, SNAPHOOK_AUDIT_INTERVAL: '1s' },
        ...stage.ownStore(name),
      }
      return running.use(await serveHere(stage, settings, { audit: AUDIT }))
    }),
  )
  balancer.lead(services.map(({ callbacks }) => callbacks))
  for (const service of services) await settled(service)
  for (const stream of STREAMS) {
    stage.emulator.startPush({ domain: DOMAIN, app: 'live', stream }, INTERVAL_MS)
  }
  const shown = async () => (await Promise.all(services.map(readiness))).map(({ audits: [a] }) => a)
  await until(
    'both to doubt',
    async () => (await shown()).every((audit) => audit?.state === 'doubtful'),
    40_000,
  )
  const doubtedAt = Date.now()
  await until(
    'both to have looked on',
    async () =>
      (await shown()).every((audit) => {
        return Date.parse(audit?.auditedUntil ?? '') >= doubtedAt + LOOK_ON_MS
      }),
    40_000,
  )
  for (const stream of STREAMS) stage.emulator.stopPush({ domain: DOMAIN, app: 'live', stream })

  for (const audit of await shown()) {
    expect(audit).toMatchObject({ state: 'doubtful', filled: 0 })
    expect(audit?.detail).toContain('another replica')
    expect(audit?.missed).toBeGreaterThan(0)
  }
  const events = REPLICAS.map((name) => eventsIn(`${stage.folder}/${name}/s.db`))
  for (const kept of events) {
    expect(kept.length).toBeGreaterThan(STREAMS.length)
    expect(kept.filter(({ origin }) => origin !== 'callback')).toEqual([])
  }
  const objects = events.flat().map(({ object }) => object)
  expect(new Set(objects).size).toBe(objects.length)
  for (const service of services) {
    const doubts = service.log().filter(({ msg }) => msg === 'audit doubtful')
    expect(doubts).toHaveLength(1)
  }
})

function eventsIn(path: string): { origin: string; object: string }[] {
  const db = new DatabaseSync(path, { readOnly: true })
  try {
    const rows = db.prepare("select origin, body ->> '$.OssObject' as object from events").all()
    return rows.map((row) => ({ ...row }) as { origin: string; object: string })
  } finally {
    db.close()
  }
}
