// What looking costs: pages at two sizes of the log, the streams table beside an append, and ingest
// while a hundred readers follow and one pages through everything. `npm run bench -- reading 300000 4`
// takes a smaller log, and fewer rounds; `… 0 4` leaves the pages out, `… 300000 0` all but the pages,
// `… 0 4 postgres` looks at ingest into a PostgreSQL on this machine.
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { urlOf } from '../../test/support/postgres/postgres-server.ts'
import { DOMAIN } from '../tools/callback.ts'
import { load } from '../tools/generator.ts'
import { startServer } from '../tools/postgres.ts'
import {
  end,
  makeFolder,
  type Snaphook,
  startChild,
  startProvider,
  startSnaphook,
} from '../tools/processes.ts'
import { usageOf } from '../tools/usage.ts'
import { verdict } from '../tools/verdict.ts'
import { measurePages } from './pages.ts'

const LARGE = Number(process.argv[3] ?? 3_000_000)
const ROUNDS = Number(process.argv[4] ?? 9)
const ON_POSTGRES = process.argv[5] === 'postgres'
const SECONDS = 3
const CONNECTIONS = 64
/** Of ingest without readers. */
const LEAST = 0.9
/** Readers that are behind when the load ends are to be abreast by then. */
const CATCH_UP_MS = 20_000

const KINDS = {
  alone: 'alone',
  followed: 'with 100 readers of the event stream',
  as_text: 'the same, if none of them takes gzip',
  paged: 'with one that pages through everything',
} as const
type Kind = keyof typeof KINDS
const READING = (Object.keys(KINDS) as Kind[]).filter((kind) => kind !== 'alone')

const NOTHING = {
  perSecond: 0,
  requests: 0,
  main: 0,
  store: 0,
  reader: 0,
  other: 0,
  clients: 0,
  /** Events that readers did not have when the load ended, and how long they took to get them. */
  behind: 0,
  behindMs: 0,
}
type Figures = typeof NOTHING
/** A kind's figures, and what its ingest was beside that of the loads before and after it. */
type Measured = Figures & { readonly share: number }

if (LARGE > 0) measurePages(LARGE)
console.log('ingest, and µs of processor time for each callback by thread of the service:')
if (ROUNDS > 0) await ingest()

async function ingest(): Promise<void> {
  const space = makeFolder()
  const server = ON_POSTGRES ? await startServer() : undefined
  const provider = await startProvider([DOMAIN])
  const settings = server && {
    SNAPHOOK_STORE: urlOf(server.newLocation()),
    SNAPHOOK_SECRET: Buffer.alloc(32, 'bench').toString('base64url'),
  }
  const snaphook = await startSnaphook({
    ...{ provider, domains: [DOMAIN], folder: space.path },
    ...(settings && { settings }),
  })
  await snaphook.ready()
  const { configurations } = await provider.state()
  const target = { port: snaphook.port, key: configurations[DOMAIN]?.notify?.NotifyAuthKey ?? '' }
  await load(target, CONNECTIONS, 2)
  const measured = new Map<Kind, Measured[]>([['alone', []]])
  const note = (kind: Kind, figures: Measured) =>
    measured.set(kind, [...(measured.get(kind) ?? []), figures])
  let before = await measure('alone', target, snaphook)
  for (let round = 0; round < ROUNDS; round++) {
    // To and fro, each between two loads alone: a log that grows and a machine that does other
    // things disturb all alike.
    for (const kind of round % 2 === 0 ? READING : READING.toReversed()) {
      const figures = await measure(kind, target, snaphook)
      const after = await measure('alone', target, snaphook)
      const share = (2 * figures.perSecond) / (before.perSecond + after.perSecond)
      note(kind, { ...figures, share })
      note('alone', { ...after, share: after.perSecond / before.perSecond })
      before = after
    }
  }
  for (const [kind, all] of measured) print(kind, all)
  await snaphook.stop()
  await provider.stop()
  await server?.remove()
  space.remove()
}

/** Clients are in a process of their own: what they take is not the service's. */
async function measure(
  kind: Kind,
  target: { port: number; key: string },
  snaphook: Snaphook,
): Promise<Figures> {
  const clients = kind === 'alone' ? undefined : await startReaders(kind, snaphook)
  const before = look(snaphook.pid, clients?.pid)
  const { requests, seconds } = await load(target, CONNECTIONS, SECONDS)
  const after = look(snaphook.pid, clients?.pid)
  const late = await clients?.late()
  await clients?.end()
  const used = (name: keyof Figures) => after[name] - before[name]
  return {
    ...{ main: used('main'), store: used('store'), reader: used('reader'), other: used('other') },
    ...{ clients: used('clients'), requests, perSecond: requests / seconds },
    ...(late ?? { behind: 0, behindMs: 0 }),
  }
}

async function startReaders(kind: Kind, { ops }: Snaphook) {
  const { child } = await startChild(['bench/reading/clients.ts', kind, new URL(ops).port])
  const lines = createInterface(child.stdout as NodeJS.ReadableStream)
  async function place(): Promise<number> {
    const told = once(lines, 'line')
    child.stdin?.write('\n')
    return Number((await told)[0])
  }
  async function newest(): Promise<number> {
    const { events } = (await (await fetch(`${ops}/v1/events?limit=1`)).json()) as {
      events: { data: { seq: number } }[]
    }
    return events[0]?.data.seq ?? 0
  }
  return {
    pid: child.pid,
    end: () => end(child),
    /** How far behind those are that follow, and for how long after the load. */
    async late() {
      if (kind === 'paged') return undefined
      const begun = performance.now()
      const first = await place()
      const last = await newest()
      for (let at = first; at < last; at = await place()) {
        if (performance.now() - begun > CATCH_UP_MS) throw new Error('readers stay behind')
        await new Promise((resolve) => setTimeout(resolve, 10))
      }
      return { behind: Math.max(0, last - first), behindMs: performance.now() - begun }
    },
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

/** The middle of all, and of what each was beside ingest alone just before and after it. */
function print(kind: Kind, all: readonly Measured[]): void {
  const middle = (name: keyof Measured) => median(all.map((each) => each[name]))
  const share = middle('share')
  const shares = all.map((each) => each.share).toSorted((a, b) => a - b)
  const shown = `×${share.toFixed(2)} (${shares.at(0)?.toFixed(2)} to ${shares.at(-1)?.toFixed(2)})`
  const judged = kind === 'alone' ? shown : verdict(share >= LEAST, `${shown} of ${LEAST}`)
  console.log(`  ${KINDS[kind].padEnd(40)} ${middle('perSecond').toFixed(0)}/s  ${judged}`)
  const threads = (['main', 'store', 'reader', 'other', 'clients'] as const).map((name) => {
    const us = median(all.map((each) => each[name] / each.requests))
    return `${name === 'clients' ? 'the readers themselves' : name} ${us.toFixed(1)}`
  })
  console.log(`    ${threads.join(', ')}`)
  if (kind !== 'followed' && kind !== 'as_text') return
  const [events, seconds] = [middle('behind').toFixed(0), (middle('behindMs') / 1000).toFixed(1)]
  console.log(`    behind at the end by ${events} events, which came within ${seconds} s`)
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
