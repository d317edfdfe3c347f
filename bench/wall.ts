// The wall in Chromium, with 500 streams at a shot a second: long tasks of the page, its heap, and what
// the server spends on it beyond taking the callbacks. Pictures come from a server of the bench: drawing
// them would be most of the load.
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { drawSnapshot } from '../src/emulator/streams/snapshot-picture.ts'
import { openPage } from './tools/bare-chromium.ts'
import { makeFolder, startProvider, startSnaphook, within } from './tools/processes.ts'
import { usageOf } from './tools/usage.ts'

const STREAMS = 500
const DOMAIN = 'play.example.com'
/** How long the page is looked at. */
const SECONDS = Number(process.argv[3] ?? 30)
/**
 * How long the service is looked at without it, before and again afterwards: in its first minutes the
 * same callbacks cost more from one to the next, as streams drift apart and fewer share a commit.
 */
const SECONDS_WITHOUT = Math.min(60, Math.max(5, SECONDS / 3))
/** All tiles are there, and the first pictures. */
const WARM_UP_MS = 8_000
/** The browser runs before the page is opened, as it does where a wall hangs: its own start is not ours. */
const BROWSER_START_MS = 1_000
const LONG_TASK_MS = 50
const CORE_SHARE = 0.1
/** Of the heap after a collection, from the beginning to the end. */
const HEAP_GROWTH = 1.25
const SCREEN = { width: 2560, height: 1440 }
const DEADLINE_MS = 60_000

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

const shot = { app: 'live', stream: 'wall', at: Date.now() } as Parameters<typeof drawSnapshot>[0]
const jpegs = Array.from({ length: 20 }, (_, sequence) => drawSnapshot({ ...shot, sequence }))
let pictures = 0
const bucket = createServer((_request, response) => {
  pictures += 1
  response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(jpegs[pictures % jpegs.length])
})
await new Promise<void>((resolve) => bucket.listen(0, '127.0.0.1', resolve))
const { port } = bucket.address() as AddressInfo

const folder = makeFolder()
const provider = await startProvider([DOMAIN], { streams: STREAMS, interval: '1s' })
const snaphook = await startSnaphook({
  provider,
  domains: [DOMAIN],
  folder: folder.path,
  settings: { SNAPHOOK_IMAGES: `http://127.0.0.1:${port}/{object}` },
})

/** Seconds on a processor so far, of all threads. */
function processorSeconds(): number {
  const { mainUs = 0, storeUs = 0, readerUs = 0, otherUs = 0 } = usageOf(snaphook.pid) ?? {}
  return (mainUs + storeUs + readerUs + otherUs) / 1e6
}

/** The share of a core over so many seconds. */
async function shareOver(seconds: number): Promise<number> {
  const [begun, before] = [performance.now(), processorSeconds()]
  await pause(seconds * 1000)
  return (processorSeconds() - before) / ((performance.now() - begun) / 1000)
}

await within(DEADLINE_MS, 'callbacks of all streams', async () => {
  const answer = await fetch(`${snaphook.ops}/v1/streams?limit=1000`)
  return ((await answer.json()) as { streams: unknown[] }).streams.length === STREAMS
})
const before = await shareOver(SECONDS_WITHOUT)

const page = await openPage(
  SCREEN,
  `globalThis.longTasks = []
  new PerformanceObserver((list) => {
    for (const { startTime, duration } of list.getEntries()) longTasks.push({ startTime, duration })
  }).observe({ type: 'longtask', buffered: true })`,
)
const count = (selector: string) =>
  page.evaluate<number>(`document.querySelectorAll('${selector}').length`)
await pause(BROWSER_START_MS)
const opened = performance.now()
await page.goTo(snaphook.ops)
await within(DEADLINE_MS, 'a picture', async () => (await count('.tile img')) > 0)
const firstTile = performance.now() - opened
await pause(WARM_UP_MS)

const heapBefore = await page.heap()
// The collections were long tasks of ours.
const begun = await page.evaluate<number>('longTasks.length = 0; performance.now()')
const picturesBefore = pictures
const withPage = await shareOver(SECONDS)
const tasks = await page.evaluate<{ duration: number }[]>(
  `longTasks.filter((each) => each.startTime > ${begun})`,
)
const tiles = await count('.tile')
const inView = await count('.tile img')
const late = await count('.tile:not([data-state=live])')
const heapAfter = await page.heap()

await page.close()
const alone = (before + (await shareOver(SECONDS_WITHOUT))) / 2
await snaphook.stop()
await provider.stop()
bucket.close()
folder.remove()

const broken: string[] = []
function show(what: string, value: number, bound: number, unit: string, digits = 0): void {
  console.log(`${what.padEnd(44)} ${value.toFixed(digits).padStart(7)} ${unit} (at most ${bound})`)
  if (!(value <= bound)) broken.push(what)
}

console.log(`${tiles} tiles, ${inView} with a picture, ${SECONDS} s; ${late} not live`)
console.log(`${((pictures - picturesBefore) / SECONDS).toFixed(0)} pictures a second`)
show('first tile with a picture', firstTile, 1000, 'ms')
show(
  `tasks above ${LONG_TASK_MS} ms`,
  tasks.length,
  0,
  `(longest ${Math.max(0, ...tasks.map(({ duration }) => duration)).toFixed(0)} ms)`,
)
show(
  'heap after a collection, end to begin',
  heapAfter / heapBefore,
  HEAP_GROWTH,
  `(${heapBefore.toFixed(1)} to ${heapAfter.toFixed(1)} MiB)`,
  2,
)
show(
  'share of a core for the page',
  withPage - alone,
  CORE_SHARE,
  `(${alone.toFixed(2)} without, ${withPage.toFixed(2)} with)`,
  3,
)
if (broken.length > 0) {
  console.log(`\nbroken: ${broken.join(', ')}`)
  process.exitCode = 1
}
