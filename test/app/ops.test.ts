import { expect, test } from 'vitest'
import { createOps } from '../../src/app/ops.ts'
import { readConfig } from '../../src/config/config.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Readiness } from '../../src/ports/views.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'
import { manualClock } from '../support/flows/manual-clock.ts'
import { memoryStore } from '../support/store/memory-store.ts'

const KEPT_MS = 10_000

function opsOf(clock: Clock, findStreams: () => Promise<never[]>) {
  const config = readConfig(
    {
      SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
      SNAPHOOK_DOMAINS: 'play.example.com',
      SNAPHOOK_IMAGES: 'oss:my-snapshots',
    },
    String,
  )
  if (!config.ok) throw new TypeError(config.problems.join('\n'))
  const store = memoryStore()
  const deps = {
    store: {
      ...store,
      findStreams: async () => ({ streams: await findStreams(), next: null, last: 0 }),
    },
    readiness: { check: async () => ({}) as Readiness, sinks: async () => [] },
    registrations: () => [],
    audits: () => [],
    metrics: { streamReaders: () => undefined, render: async () => ({}) },
    version: '1.2.3',
  }
  const overrides = { log: keptLog(), stdout: process.stdout, clock }
  return createOps(config.value, deps as unknown as Parameters<typeof createOps>[1], overrides)
}

test('however often the page is asked for, the store is asked for streams once in ten seconds', async () => {
  const clock = manualClock()
  let asked = 0
  const { app, feed } = opsOf(clock, async () => {
    asked += 1
    return []
  })
  for (let n = 0; n < 5; n += 1) expect((await app.request('/')).status).toBe(200)
  expect(asked).toBe(1)
  await clock.advance(KEPT_MS - 1)
  await app.request('/')
  expect(asked).toBe(1)
  await clock.advance(1)
  await app.request('/')
  expect(asked).toBe(2)
  feed.close()
})

test('a store that fails does not take the page along', async () => {
  const { app, feed } = opsOf(manualClock(), () => Promise.reject(new Error('disk on fire')))
  const page = await app.request('/')
  expect(page.status).toBe(200)
  expect(page.headers.get('content-security-policy')).toContain("img-src 'self'")
  feed.close()
})
