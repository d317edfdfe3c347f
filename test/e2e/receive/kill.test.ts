// kill -9 under load: whatever was answered 200 is in the log, and reaches the sink after a restart.
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { sendCallback, snapshotBody } from '../../support/service/signed-callback.ts'
import {
  keyOf,
  metricsOf,
  readiness,
  type Serving,
  setStage,
  settled,
} from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const SENDERS = 32
const ROUNDS = 3
/** So many are answered before each kill, with as many as there are senders under way. */
const ANSWERED_BEFORE_KILL = 200
/** More than a pipe and all buffers on its way take. */
const STUCK_CALLBACKS = 120
const PADDING_BYTES = 20_000

test.concurrent('every callback that was answered 200 survives kill -9, again and again', async () => {
  await using stage = await setStage()
  const url = stage.callbackUrl()
  const answered: string[] = []
  const seen = new Set<string>()
  let sent = 0
  let service = await stage.serve()
  await settled(service)

  for (let round = 1; round <= ROUNDS; round += 1) {
    const goal = answered.length + ANSWERED_BEFORE_KILL
    const load = underLoad(url, answered, () => (sent += 1))
    await until(`${goal} answers`, () => answered.length >= goal)
    service.kill('SIGKILL')
    expect(await service.ended).toBe('SIGKILL')
    await load
    for (const object of objectsOf(service)) seen.add(object)

    // In the log as the dead process left it: nothing was repaired or sent again.
    const logged = new Set(objectsInLog(`${stage.folder}/store/snaphook.db`))
    expect(answered.filter((object) => !logged.has(object))).toEqual([])

    service = await stage.serve()
    const left = (): string[] => {
      for (const object of objectsOf(service)) seen.add(object)
      return answered.filter((object) => !seen.has(object))
    }
    await until('everything answered at the sink', () => left().length === 0)
  }

  expect(answered.length).toBeLessThan(sent)
  service.kill('SIGTERM')
  expect(await service.ended).toBe(0)
  expect(inOrder(service)).toBe(true)
})

test.concurrent('a reader that is stuck holds no callback up, and loses nothing to kill -9', async () => {
  await using stage = await setStage()
  const first = await stage.serve()
  await settled(first)
  first.stdout.stall()
  const objects = Array.from({ length: STUCK_CALLBACKS }, (_, n) => `stuck/${n}.jpg`)
  const sent = await Promise.all(
    objects.map((OssObject) => {
      const body = snapshotBody({ OssObject, padding: 'x'.repeat(PADDING_BYTES) })
      return sendCallback(stage.callbackUrl(), { key: keyOf(0), body })
    }),
  )
  expect(sent.filter(({ status }) => status !== 200)).toEqual([])
  const lag = (await metricsOf(first)).value('snaphook_sink_lag_events', { sink: 'stdout' })
  expect(lag).toBeGreaterThan(0)
  expect((await readiness(first)).status).toBe(200)
  first.kill('SIGKILL')

  const second = await stage.serve()
  await until('all that was not read', () => {
    const seen = new Set([...objectsOf(first), ...objectsOf(second)])
    return objects.every((object) => seen.has(object))
  })
})

/** Sends until a callback is not answered: the service is dead. */
async function underLoad(url: string, answered: string[], count: () => void): Promise<void> {
  const key = keyOf(0)
  const send = async (): Promise<void> => {
    for (;;) {
      const body = snapshotBody()
      count()
      const { status } = await sendCallback(url, { key, body })
      expect(status).toBe(200)
      answered.push(JSON.parse(body).OssObject)
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: SENDERS }, send))
  const broken = { code: expect.stringMatching(/^(ECONNREFUSED|ECONNRESET|EPIPE)$/) }
  for (const end of ends) if (end.status === 'rejected') expect(end.reason).toMatchObject(broken)
}

function objectsOf(service: Serving): string[] {
  return service.events().map(({ data }) => String(data.object))
}

function objectsInLog(path: string): string[] {
  using db = new DatabaseSync(path)
  const rows = db.prepare('select body from events order by seq').all()
  return rows.map(({ body }) => JSON.parse(Buffer.from(body as Uint8Array).toString()).OssObject)
}

function inOrder(service: Serving): boolean {
  const seqs = service.events().map(({ data }) => data.seq)
  return seqs.every((seq, index) => index === 0 || seq === (seqs[index - 1] ?? 0) + 1)
}
