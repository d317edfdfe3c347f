// The service is killed again and again while streams run. Afterwards each shot that the provider
// took is in the log exactly once, and at every sink, and says which way it came.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { DatabaseSync } from 'node:sqlite'
import { json } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import {
  DOMAIN,
  listening,
  metricsOf,
  readiness,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const MAIN = fileURLToPath(new URL('../../support/audit/audit-main.ts', import.meta.url))
const STREAMS = ['a', 'b', 'c', 'd', 'e', 'f']
const INTERVAL_MS = 2_000
const KILLS = 4
/** Some live long enough to audit, and some die before. */
const LIVES_MS = [9_000, 2_000, 6_000, 4_000]
const DOWN_MS = 3_000
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'audit').toString('base64')}`

test('each shot is there once after all', { timeout: 150_000 }, async () => {
  const hook = await openHook()
  await using stage = await setStage()
  const settings = {
    SNAPHOOK_AUDIT_INTERVAL: '1s',
    SNAPHOOK_SINKS: `stdout:,hook=${hook.url}`,
    SNAPHOOK_WEBHOOK_SECRET: WEBHOOK_SECRET,
  }
  const services: Serving[] = []
  const serve = async () => {
    const service = await listening(stage.run([], settings, { main: MAIN }))
    services.push(service)
    stage.front.lead(service.callbacks)
    return service
  }
  try {
    let service = await serve()
    await settled(service)
    for (const stream of STREAMS) {
      stage.emulator.startPush({ domain: DOMAIN, app: 'live', stream }, INTERVAL_MS)
    }
    for (let kill = 0; kill < KILLS; kill += 1) {
      await pause(LIVES_MS[kill % LIVES_MS.length])
      service.kill('SIGKILL')
      await service.ended
      await pause(DOWN_MS)
      service = await serve()
    }
    await pause(12_000)
    for (const stream of STREAMS) {
      stage.emulator.stopPush({ domain: DOMAIN, app: 'live', stream })
    }
    const taken = STREAMS.flatMap((stream) =>
      (stage.emulator.shotsOf({ domain: DOMAIN, app: 'live', stream }) ?? [])
        .filter(({ isOverlay }) => !isOverlay)
        .map(({ object }) => object),
    ).toSorted()
    const path = `${stage.folder}/store/snaphook.db`
    await until('all shots to be in the log', () => objectsIn(path).length >= taken.length, 40_000)
    expect(objectsIn(path).toSorted()).toEqual(taken)
    const found = originsIn(path).filter((origin) => origin === 'audit').length
    expect(found).toBeGreaterThan(0)
    expect(found).toBeLessThan(taken.length)

    const ofStdout = () => services.flatMap((each) => each.events())
    for (const [name, events] of [['stdout', ofStdout] as const, ['hook', hook.events] as const]) {
      await until(`all shots at ${name}`, () => byObject(events()).size >= taken.length)
      // More than once where a sink was not confirmed before a kill, but always the same event.
      for (const [object, same] of byObject(events())) {
        expect(new Set(same.map(({ id }) => id)).size, object).toBe(1)
      }
    }
    const { audits } = await readiness(service)
    expect(audits).toMatchObject([{ state: 'ok', gaps: [] }])
    const metrics = await metricsOf(service)
    expect(metrics.value('snaphook_audit_state', { domain: DOMAIN, state: 'ok' })).toBe(1)
  } finally {
    hook.close()
  }
})

function byObject(events: readonly SnapshotCloudEvent[]): Map<string, SnapshotCloudEvent[]> {
  return Map.groupBy(events, ({ data }) => String(data.object))
}

function rowsIn(path: string) {
  using db = new DatabaseSync(path, { readOnly: true })
  return db.prepare('select origin, body from events order by seq').all()
}

function objectsIn(path: string): string[] {
  return rowsIn(path).map(
    ({ body }) => JSON.parse(Buffer.from(body as Uint8Array).toString()).OssObject,
  )
}

function originsIn(path: string): string[] {
  return rowsIn(path).map(({ origin }) => String(origin))
}

async function openHook() {
  const received: SnapshotCloudEvent[] = []
  const server = createServer((request, response) => {
    json(request)
      .then((batch) => {
        received.push(...(batch as SnapshotCloudEvent[]))
        response.end()
      })
      .catch(() => response.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    events: () => received,
    close() {
      server.closeAllConnections()
      server.close()
    },
  }
}
