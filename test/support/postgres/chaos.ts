// Replicas on one PostgreSQL under load, and what happens to them: killed, paused, cut off, the server
// dead at once. What was acknowledged is written down here, and compared with the log and the sink.
import { randomInt } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { inSchema } from '../../../src/store/postgres/connection/location.ts'
import { startTcpProxy, type TcpProxy } from '../network/tcp-proxy.ts'
import { openRecorder } from '../service/recorder.ts'
import { sendCallback } from '../service/signed-callback.ts'
import { DOMAIN, keyOf, listening, type Serving, setStage, settled } from '../service/stage.ts'
import { until } from '../until.ts'
import { type PostgresServer, urlOf } from './postgres-server.ts'

export const KINDS = ['kill', 'pause', 'restart', 'cut'] as const
export type Kind = (typeof KINDS)[number]

export type Outcome = {
  readonly acknowledged: number
  /** Acknowledged, and not in the log. */
  readonly lost: number
  /** In the log more than once. */
  readonly doubled: number
  /** Acknowledged, and not delivered. */
  readonly undelivered: number
  /** Numbers that are missing between the first event of the log and the last. */
  readonly gaps: number
  /** Deliveries that came again, and those of them that went further back than a takeover may. */
  readonly repeated: number
  readonly beyond: number
}

/** As the provider: then it gives up. */
const SENDER_TIMEOUT_MS = 5_000
const LANES = 6
/** Of a lane, so that the load leaves something of the machine to what is loaded. */
const PAUSE_MS = 2
/** A round that takes longer has failed. */
const ROUND_MS = 30_000
const LIFETIME_MS = 600_000
const WEBHOOK_SECRET = `whsec_${Buffer.alloc(32, 'chaos').toString('base64')}`

type Replica = { serving: Serving; readonly proxy: TcpProxy }

/** Starts `count` replicas and the load on them. `server` should run with `synchronous_commit = off`. */
export async function startChaos(server: PostgresServer, count = 3) {
  const stage = await setStage()
  const sink = await openRecorder()
  const location = server.newLocation()
  const signedHost = new URL(stage.front.url).hostname
  const replicas: Replica[] = []
  const acknowledged = new Set<number>()
  let sent = 0
  let isOver = false

  async function serve(proxy: TcpProxy): Promise<Serving> {
    const settings = {
      SNAPHOOK_STORE: urlOf({ ...location, port: proxy.port }),
      SNAPHOOK_SINKS: `hook=${sink.url}`,
      SNAPHOOK_WEBHOOK_SECRET: WEBHOOK_SECRET,
    }
    return listening(stage.run(['serve'], settings, { lifetimeMs: LIFETIME_MS }))
  }

  /** One callback, to one replica; its number if it was acknowledged. */
  async function send(to = pick()): Promise<number | undefined> {
    const n = ++sent
    const url = `${to.serving.callbacks}/callbacks/${DOMAIN}`
    const signal = AbortSignal.timeout(SENDER_TIMEOUT_MS)
    const callback = { key: keyOf(0), signedHost, body: `{"n":${n}}`, signal }
    const { status } = await sendCallback(url, callback).catch(() => ({ status: 0 }))
    if (status !== 200) return undefined
    acknowledged.add(n)
    return n
  }

  function pick(): Replica {
    return replicas[randomInt(replicas.length)] as Replica
  }

  async function lane(): Promise<void> {
    while (!isOver) {
      await send()
      await pause(PAUSE_MS)
    }
  }

  /** The replica that owns the sink. */
  async function owner(): Promise<Replica> {
    return until('an owner', async () => {
      const [row] = await server.query(
        inSchema(
          location.schema,
          `select name from @.leases join @.peers using (replica)
           where task = 'sink:hook' and expires_at > clock_timestamp()`,
        ),
      )
      return replicas.find(({ serving: { pid } }) => String(row?.name).endsWith(` ${pid}`))
    })
  }

  /** Until something that is sent from now on, past `out`, is delivered. */
  async function deliversAgain(out?: Replica): Promise<void> {
    const others = replicas.filter((replica) => replica !== out)
    const n = await until(
      'a callback is taken',
      () => send(others[randomInt(others.length)]),
      ROUND_MS,
    )
    await until('it is delivered', () => sink.had(n), ROUND_MS)
  }

  const acts: Record<Kind, () => Promise<void>> = {
    async kill() {
      const victim = pick()
      victim.serving.kill('SIGKILL')
      await victim.serving.ended
      await deliversAgain(victim)
    },
    async pause() {
      const paused = await owner()
      paused.serving.kill('SIGSTOP')
      await deliversAgain(paused)
    },
    async restart() {
      await server.stop('immediate')
      await server.start()
      await deliversAgain()
    },
    async cut() {
      for (const { proxy } of replicas) proxy.cut()
      await deliversAgain()
    },
  }

  for (let n = 0; n < count; n += 1) {
    const proxy = await startTcpProxy({ host: '127.0.0.1', port: server.port })
    replicas.push({ proxy, serving: await serve(proxy) })
    await settled((replicas[0] as Replica).serving)
  }
  const lanes = Promise.all(Array.from({ length: LANES }, lane))
  await deliversAgain()

  return {
    /** Does one thing to them; resolves with how long it took until all was well again, in ms. */
    async round(kind: Kind): Promise<number> {
      const begun = performance.now()
      await acts[kind]()
      const tookMs = performance.now() - begun
      for (const replica of replicas) {
        // One that wakes may finish the request that it was sending.
        if (kind === 'pause') sink.allowLate()
        replica.serving.kill('SIGCONT')
        if (replica.serving.hasEnded()) replica.serving = await serve(replica.proxy)
      }
      return tookMs
    },

    /** Ends the load, waits for what is on its way, and compares. */
    async compare(): Promise<Outcome> {
      isOver = true
      await lanes
      await until('all is delivered', () => [...acknowledged].every(sink.had), ROUND_MS).catch(
        () => undefined,
      )
      const rows = await server.query(
        inSchema(
          location.schema,
          `select seq::float8 as seq, (convert_from(body, 'UTF8')::json->>'n')::int as n
           from @.events e order by e.seq`,
        ),
      )
      const kept = rows.map(({ n }) => Number(n))
      const known = new Set(kept)
      const count = (has: (n: number) => boolean) => [...acknowledged].filter((n) => !has(n)).length
      return {
        acknowledged: acknowledged.size,
        lost: count((n) => known.has(n)),
        doubled: kept.length - known.size,
        undelivered: count(sink.had),
        gaps: Number(rows.at(-1)?.seq ?? 0) - Number(rows[0]?.seq ?? 1) + 1 - rows.length,
        ...sink.repeats(),
      }
    },

    async [Symbol.asyncDispose]() {
      isOver = true
      await lanes
      await stage[Symbol.asyncDispose]()
      await sink[Symbol.asyncDispose]()
      await Promise.all(replicas.map(({ proxy }) => proxy.close()))
    },
  }
}
