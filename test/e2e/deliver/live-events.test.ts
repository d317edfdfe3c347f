// Who follows the live events over kill -9 of the service: each event once, none left out.
import { expect, test } from 'vitest'
import { sendCallback, snapshotBody } from '../../support/service/signed-callback.ts'
import { readEvents } from '../../support/service/sse-reader.ts'
import { keyOf, listening, type Running, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

const SENDERS = 8
const KILLS = 2
const EVENTS_BEFORE_KILL = 60

test.concurrent('each event comes once over kill -9 under load, to whoever resumes', async () => {
  await using stage = await setStage()
  let service: Running & { kill(signal: 'SIGKILL'): void; readonly ended: Promise<unknown> } =
    await stage.serve()
  await settled(service)
  const ops = service.ops
  const over = new AbortController()
  const readers = [
    follow(ops, '', {}, over.signal),
    follow(ops, '', { 'accept-encoding': 'identity' }, over.signal),
    follow(ops, '&stream=even', {}, over.signal),
  ]
  const [packed, asText, even] = readers.map(({ seen }) => seen) as [Seen, Seen, Seen]
  const sending = new AbortController()
  const answered = Array.from({ length: SENDERS }, () => send(stage.callbackUrl(), sending.signal))

  for (let kill = 0; kill < KILLS; kill += 1) {
    const goal = packed.length + EVENTS_BEFORE_KILL
    await until(`${goal} events`, () => packed.length >= goal && asText.length >= goal)
    service.kill('SIGKILL')
    await service.ended
    const again = stage.run(['serve'], { SNAPHOOK_OPS_LISTEN: new URL(ops).host })
    service = await listening(again)
    stage.front.lead(service.callbacks)
  }
  sending.abort()
  const objects = (await Promise.all(answered)).flat()
  await until('all that was answered', () => {
    const got = [packed, asText].map((seen) => new Set(seen.map(({ object }) => object)))
    return objects.every((object) => got.every((each) => each.has(object)))
  })
  const last = packed.at(-1)?.seq ?? 0
  const all = Array.from({ length: last }, (_, n) => n + 1)
  await until('both to be equally far', () => asText.at(-1)?.seq === last)
  expect(packed.map(({ seq }) => seq)).toEqual(all)
  expect(asText).toEqual(packed)
  const expected = packed.filter(({ object }) => object.startsWith('even/'))
  await until('the narrow one', () => even.length >= expected.length)
  expect(even).toEqual(expected)
  over.abort()
  const resumed = await Promise.all(readers.map(({ ended }) => ended))
  expect(Math.min(...resumed)).toBeGreaterThanOrEqual(KILLS)
})

type Seen = { readonly seq: number; readonly object: string }[]

/** As a browser does: connects again whenever it is cut off, behind the last event that it got. */
function follow(
  url: string,
  filters: string,
  headers: Record<string, string>,
  signal: AbortSignal,
): { seen: Seen; ended: Promise<number> } {
  const seen: Seen = []
  const run = async (): Promise<number> => {
    let resumed = -1
    while (!signal.aborted) {
      const last = seen.at(-1)?.seq
      const from: Record<string, string> = last === undefined ? {} : { 'last-event-id': `${last}` }
      const reader = await readEvents({ url }, `?after=0${filters}`, { ...headers, ...from }).catch(
        () => undefined,
      )
      if (reader === undefined) {
        await new Promise((resolve) => setTimeout(resolve, 20))
        continue
      }
      resumed += 1
      const base = seen.length
      const take = () => {
        for (const { id, event, data = '' } of reader.events.slice(seen.length - base)) {
          expect(event).toBe('snapshot')
          seen.push({ seq: Number(id), object: JSON.parse(data).data.object })
        }
      }
      const timer = setInterval(take, 5)
      const stop = () => void reader[Symbol.asyncDispose]()
      signal.addEventListener('abort', stop, { once: true })
      await reader.ended
      clearInterval(timer)
      signal.removeEventListener('abort', stop)
      take()
    }
    return resumed
  }
  return { seen, ended: run() }
}

/** Sends one callback after the other; resolves with the objects of those that were answered 200. */
async function send(url: string, signal: AbortSignal): Promise<string[]> {
  const answered: string[] = []
  for (let n = 0; !signal.aborted; n += 1) {
    const stream = n % 2 === 0 ? 'even' : 'odd'
    const OssObject = `${stream}/${crypto.randomUUID()}.jpg`
    const body = snapshotBody({ StreamName: stream, OssObject })
    const sent = await sendCallback(url, { key: keyOf(0), body }).catch(() => undefined)
    if (sent?.status === 200) answered.push(OssObject)
    else await new Promise((resolve) => setTimeout(resolve, 20))
  }
  return answered
}
