import { DatabaseSync } from 'node:sqlite'
import { test } from 'vitest'
import { serveHere } from '../support/service/service-here.ts'
import { DOMAIN, type Running, setStage } from '../support/service/stage.ts'
import { eventOf, range } from '../support/store/store-events.ts'
import { openStore } from '../support/store/store-fixtures.ts'
import { until } from '../support/until.ts'

const EVENTS = 700

test('a service counts the events of a log that is older than the tables of streams', async () => {
  await using stage = await setStage()
  const store = await openStore(stage.storePath, { now: Date.now })
  const body = new TextEncoder().encode('{"AppName":"live","StreamName":"door"}')
  const receivedAt = Date.now()
  await Promise.all(
    range(EVENTS).map((n) => {
      const occurredAt = receivedAt - 1_000 * (EVENTS - n)
      return store.append(eventOf(n, { domain: DOMAIN, body, receivedAt, occurredAt }))
    }),
  )
  await store.close()
  forgetStreams(stage.storePath)
  await using service = await serveHere(stage)
  await until('all are counted', async () => (await eventsOf(service)) === EVENTS)
})

/** Leaves a file as it was when there were events and no streams yet. */
function forgetStreams(path: string): void {
  const db = new DatabaseSync(path)
  db.exec(`
    delete from stream_states;
    delete from streams;
    update counters set value = (select max(seq) from events)
    where name in ('streams_to_fill', 'streams_counted');
  `)
  db.close()
}

async function eventsOf({ ops }: Running): Promise<number> {
  const response = await fetch(`${ops}/v1/streams`)
  const { streams } = (await response.json()) as { streams: { stream: string; events: number }[] }
  return streams.find(({ stream }) => stream === 'door')?.events ?? 0
}
