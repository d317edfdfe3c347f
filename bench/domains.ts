// Two hundred domains at once: how long they take to register, how long a restart takes to see that
// they are in sync, how fast the provider is called meanwhile, and what standing still costs.
import {
  makeFolder,
  type Snaphook,
  startProvider,
  startSnaphook,
  within,
} from './tools/processes.ts'

const DOMAINS = Array.from({ length: 200 }, (_, n) => `play-${n}.example.com`)
const REGISTER_SECONDS = 45
const IN_SYNC_SECONDS = 25
/** The pace is ten; a clock's tick and the network may move two more into a second. */
const MAX_CALLS_IN_A_SECOND = 12
/** Twenty seconds are the least that two hundred domains can be looked at in. */
const INTERVAL_SECONDS = 30
/** Long enough for each domain to be looked at, and too short for a third time. */
const IDLE_SECONDS = 2 * INTERVAL_SECONDS
/** The interval varies by so much; the pace may delay one look and not the next. */
const INTERVAL_JITTER = 0.1
const SLACK_SECONDS = 1
const DEADLINE_MS = 120_000

type Call = { at: number; operation: string; domain: string }

const folder = makeFolder()
const provider = await startProvider(DOMAINS)
const settings = { SNAPHOOK_RECONCILE_INTERVAL: `${INTERVAL_SECONDS}s` }
const options = { provider, domains: DOMAINS, folder: folder.path, settings }
const broken: string[] = []

function show(what: string, value: number, bound: number, unit = ''): void {
  console.log(`${what.padEnd(44)} ${value.toFixed(1).padStart(7)} ${unit} (at most ${bound})`)
  if (!(value <= bound)) broken.push(what)
}

async function callsSince(at: number): Promise<Call[]> {
  return (await provider.state()).api.recent.filter((call) => call.at >= at)
}

/** The most calls of one operation within any second. */
function densest(calls: readonly Call[]): number {
  const times = Map.groupBy(calls, ({ operation }) => operation)
  const counts = [...times.values()].flatMap((of) =>
    of.map(({ at }) => of.filter((other) => other.at >= at && other.at < at + 1000).length),
  )
  return Math.max(0, ...counts)
}

async function inSync(snaphook: Snaphook): Promise<number> {
  await within(DEADLINE_MS, 'all domains in sync', async () =>
    (await snaphook.registrations()).every(({ state }) => state === 'in_sync'),
  )
  return (performance.now() - snaphook.begun) / 1000
}

const begun = Date.now()
const first = await startSnaphook(options)
show('200 new domains register', await inSync(first), REGISTER_SECONDS, 's')
const registering = await callsSince(begun)
show('most calls of one operation in a second', densest(registering), MAX_CALLS_IN_A_SECOND)
show('calls for each domain', registering.length / DOMAINS.length, 3)
await first.stop()

const restarted = Date.now()
const second = await startSnaphook({ ...options, port: first.port })
show('200 domains in sync are seen to be', await inSync(second), IN_SYNC_SECONDS, 's')
const looking = await callsSince(restarted)
show('most calls of one operation in a second', densest(looking), MAX_CALLS_IN_A_SECOND)
show('calls for each domain', looking.length / DOMAINS.length, 1)

await new Promise((resolve) => setTimeout(resolve, IDLE_SECONDS * 1000))
const seen = await callsSince(restarted)
const gaps = [...Map.groupBy(seen, ({ domain }) => domain).values()].flatMap((of) =>
  of.slice(1).map(({ at }, index) => (at - (of[index]?.at ?? 0)) / 1000),
)
const least = INTERVAL_SECONDS * (1 - INTERVAL_JITTER) - SLACK_SECONDS
show('idle: most calls of one operation in a second', densest(seen), MAX_CALLS_IN_A_SECOND)
show('idle: looks sooner than an interval', gaps.filter((gap) => gap < least).length, 0)
show('idle: calls that are not looks', seen.filter((call) => !isLook(call)).length, 0)
console.log(`idle: ${gaps.length} looks in ${IDLE_SECONDS} s at ${INTERVAL_SECONDS} s`)
if (gaps.length < DOMAINS.length) broken.push('idle: every domain is looked at again')
await second.stop()
await provider.stop()
folder.remove()

if (broken.length > 0) {
  console.log(`\nbroken: ${broken.join(', ')}`)
  process.exitCode = 1
}

function isLook({ operation }: Call): boolean {
  return operation === 'DescribeLiveSnapshotNotifyConfig'
}
