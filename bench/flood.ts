// Honest callbacks without and with a flood of bad signatures beside them, in turn and in one run:
// the flood must cost one Describe at most, and the honest ones at most three times their p99. Every
// party is a process of its own. A machine that does other work at the same time spoils a round:
// there are three, and the median counts.
import { DOMAIN } from './tools/callback.ts'
import { makeFolder, startChild, startProvider, startSnaphook } from './tools/processes.ts'
import type { SenderFigures } from './tools/sender.ts'

const ROUNDS = 3
const FLOOD_PER_SECOND = 5_000
const HONEST_PER_SECOND = 100
const WARM_UP_SECONDS = 2
const SECONDS = 10
/** The flood begins before the honest callbacks do, and ends after them. */
const MARGIN_SECONDS = 1
const MAX_RATIO = 3
/** A flood that could not be sent, or was not answered, proves nothing. */
const MIN_FLOOD_SHARE = 0.95
/** One Describe is allowed for each so many seconds begun. */
const DESCRIBE_SECONDS = 30

const folder = makeFolder()
const provider = await startProvider([DOMAIN])
const snaphook = await startSnaphook({
  provider,
  domains: [DOMAIN],
  folder: folder.path,
  flags: process.argv.includes('--profile') ? ['--cpu-prof'] : [],
})
await snaphook.ready()
const key = (await provider.state()).configurations[DOMAIN]?.notify?.NotifyAuthKey ?? ''

async function send(perSecond: number, seconds: number, ...more: string[]): Promise<SenderFigures> {
  const numbers = [snaphook.port, perSecond, seconds].map(String)
  const { line } = await startChild(['bench/tools/sender.ts', ...numbers, ...more])
  return JSON.parse(line)
}

const sendHonest = (seconds: number) => send(HONEST_PER_SECOND, seconds, key)
const pause = (seconds: number) => new Promise((resolve) => setTimeout(resolve, seconds * 1000))

async function describes(): Promise<number> {
  return (await provider.state()).api.byOperation.DescribeLiveSnapshotNotifyConfig ?? 0
}

/** What `work` takes of the service's processor time. */
async function measured<T>(work: () => Promise<T>): Promise<{ result: T; cpuSeconds: number }> {
  const used = async () =>
    Number(/^process_cpu_seconds_total (\S+)/m.exec(await snaphook.metrics())?.[1])
  const before = await used()
  const result = await work()
  return { result, cpuSeconds: (await used()) - before }
}

async function flooded() {
  const flood = send(FLOOD_PER_SECOND, SECONDS + 2 * MARGIN_SECONDS)
  await pause(MARGIN_SECONDS)
  return { honest: await sendHonest(SECONDS), flood: await flood }
}

function show(name: string, { perSecond, p50Ms, p99Ms, statuses, lost }: SenderFigures): void {
  const columns = [
    name.padEnd(16),
    perSecond.toFixed(0).padStart(10),
    p50Ms.toFixed(1).padStart(7),
    p99Ms.toFixed(1).padStart(7),
  ]
  console.log(columns.join(' '), '', JSON.stringify(statuses), lost > 0 ? `lost: ${lost}` : '')
}

await sendHonest(WARM_UP_SECONDS)
const looksBefore = await describes()
const begun = performance.now()
const ratios: number[] = []
let isSound = true
console.log('callbacks         answers/s  p50 ms  p99 ms  answers')
for (let round = 0; round < ROUNDS; round++) {
  const calm = await measured(() => sendHonest(SECONDS))
  const under = await measured(flooded)
  const { honest, flood } = under.result
  show('honest, calm', calm.result)
  show('honest, flooded', honest)
  show('the flood', flood)
  const ratio = honest.p99Ms / calm.result.p99Ms
  const refusals = flood.statuses['401'] ?? 0
  const microseconds = ((under.cpuSeconds - calm.cpuSeconds) * 1e6) / refusals
  console.log(
    `p99 times ${ratio.toFixed(2)}; ${microseconds.toFixed(0)} µs of processor a refusal\n`,
  )
  ratios.push(ratio)
  const isFlood = flood.perSecond >= MIN_FLOOD_SHARE * FLOOD_PER_SECOND
  isSound &&= isFlood && honest.statuses['200'] === HONEST_PER_SECOND * SECONDS
}
const looks = (await describes()) - looksBefore
const maxLooks = 1 + Math.floor((performance.now() - begun) / 1000 / DESCRIBE_SECONDS)
await snaphook.stop()
await provider.stop()
folder.remove()

const ratio = ratios.toSorted((a, b) => a - b)[Math.floor(ROUNDS / 2)] ?? NaN
console.log(`p99 flooded / calm, the median: ${ratio.toFixed(2)} (at most ${MAX_RATIO})`)
console.log(`Describes while flooded: ${looks} (at most ${maxLooks}, one in ${DESCRIBE_SECONDS} s)`)
if (!isSound)
  console.log('the flood was not answered as fast, or an honest callback was not answered 200')
if (!isSound || !(ratio <= MAX_RATIO) || looks > maxLooks) process.exitCode = 1
