// What looking costs: pages at two sizes of the log, the streams table beside an append, and ingest
// while a hundred readers follow and one pages through everything. `npm run bench -- reading 300000 4`
// takes a smaller log, and fewer rounds; `… 0 4` leaves the pages out, `… 300000 0` all but the pages.
import { DOMAIN } from './callback.ts'
import { load } from './generator.ts'
import { end, makeFolder, startChild, startProvider, startSnaphook } from './processes.ts'
import { measurePages } from './reading-pages.ts'
import { usageOf } from './usage.ts'
import { verdict } from './verdict.ts'

const LARGE = Number(process.argv[3] ?? 3_000_000)
const ROUNDS = Number(process.argv[4] ?? 9)
const SECONDS = 2
const CONNECTIONS = 64
/** Of ingest without readers. */
const LEAST = 0.9

/** Who reads meanwhile, and what is left of ingest then, at least. */
const KINDS = {
  alone: { label: 'alone', least: 0 },
  followed: { label: 'with 100 readers of the event stream', least: LEAST },
  as_text: { label: 'the same, if none of them takes gzip', least: 0 },
  paged: { label: 'with one that pages through everything', least: LEAST },
} as const
type Kind = keyof typeof KINDS

const NOTHING = {
  perSecond: 0,
  requests: 0,
  main: 0,
  store: 0,
  reader: 0,
  other: 0,
  clients: 0,
}
type Figures = typeof NOTHING

if (LARGE > 0) measurePages(LARGE)
console.log('ingest, and µs of processor time for each callback by thread of the service:')
if (ROUNDS > 0) await ingest()

async function ingest(): Promise<void> {
  const space = makeFolder()
  const provider = await startProvider([DOMAIN])
  const snaphook = await startSnaphook({ provider, domains: [DOMAIN], folder: space.path })
  await snaphook.ready()
  const { configurations } = await provider.state()
  const target = { port: snaphook.port, key: configurations[DOMAIN]?.notify?.NotifyAuthKey ?? '' }
  await load(target, CONNECTIONS, 2)
  const kinds = Object.keys(KINDS) as Kind[]
  const rounds: Map<Kind, Figures>[] = []
  for (let round = 0; round < ROUNDS; round++) {
    const figures = new Map<Kind, Figures>()
    // To and fro: a log that grows and a machine that does other things disturb all alike.
    for (const kind of round % 2 === 0 ? kinds : kinds.toReversed()) {
      figures.set(kind, await measure(kind, target, snaphook))
    }
    rounds.push(figures)
  }
  for (const kind of kinds) print(kind, rounds)
  await snaphook.stop()
  await provider.stop()
  space.remove()
}

/** Clients are in a process of their own: what they take is not the service's. */
async function measure(
  kind: Kind,
  target: { port: number; key: string },
  snaphook: { pid: number; ops: string },
): Promise<Figures> {
  const port = new URL(snaphook.ops).port
  const clients =
    kind === 'alone' ? undefined : await startChild(['bench/reading-clients.ts', kind, port])
  const before = look(snaphook.pid, clients?.child.pid)
  const { requests, seconds } = await load(target, CONNECTIONS, SECONDS)
  const after = look(snaphook.pid, clients?.child.pid)
  if (clients) await end(clients.child)
  const used = (name: keyof Figures) => after[name] - before[name]
  return {
    ...{ main: used('main'), store: used('store'), reader: used('reader'), other: used('other') },
    ...{ clients: used('clients'), requests, perSecond: requests / seconds },
  }
}

/** Microseconds on a processor so far; nothing where the system does not tell. */
function look(pid: number, clientPid: number | undefined): Figures {
  const service = usageOf(pid)
  const clients = clientPid === undefined ? undefined : usageOf(clientPid)
  return {
    ...NOTHING,
    main: service?.mainUs ?? 0,
    store: service?.storeUs ?? 0,
    reader: service?.readerUs ?? 0,
    other: service?.otherUs ?? 0,
    clients: (clients?.mainUs ?? 0) + (clients?.otherUs ?? 0),
  }
}

/** The middle of the rounds, and of what each kind was beside ingest alone in the same round. */
function print(kind: Kind, rounds: readonly ReadonlyMap<Kind, Figures>[]): void {
  const of = (round: ReadonlyMap<Kind, Figures>, which: Kind) => round.get(which) ?? NOTHING
  const { label, least } = KINDS[kind]
  const share = median(rounds.map((r) => of(r, kind).perSecond / of(r, 'alone').perSecond))
  const shown = `×${share.toFixed(2)}`
  const judged = least > 0 ? verdict(share >= least, `${shown} of ${least}`) : shown
  const each = (name: keyof Figures) =>
    median(rounds.map((r) => of(r, kind)[name] / of(r, kind).requests)).toFixed(1)
  const perSecond = median(rounds.map((r) => of(r, kind).perSecond)).toFixed(0)
  console.log(`  ${label.padEnd(40)} ${perSecond}/s  ${judged}`)
  const threads = (['main', 'store', 'reader', 'other'] as const).map(
    (name) => `${name} ${each(name)}`,
  )
  console.log(`    ${threads.join(', ')}; the readers themselves ${each('clients')}`)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
