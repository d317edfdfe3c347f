// Rounds of what can happen to replicas on one PostgreSQL, all under load, with the server's own
// `synchronous_commit = off`: a replica is killed, the owner of the sink paused, the server ended at
// once and started again, all connections cut. `chaos ROUNDS [KIND…]`. Exits 1 if anything that was
// acknowledged is lost, or more came again than is said.
import { KINDS, type Kind, type Outcome, startChaos } from '../test/support/postgres/chaos.ts'
import { startServer } from './tools/postgres.ts'

const [rounds = '100', ...named] = process.argv.slice(3)
const kinds = KINDS.filter((kind) => named.length === 0 || named.includes(kind))

/** Told to stop, it compares what there is so far. */
let isOver = false
process.on('SIGTERM', () => {
  isOver = true
})
let done = 0

const server = await startServer({ synchronous_commit: 'off' })
const slowest = new Map<Kind, number>()
let outcome: Outcome
{
  await using chaos = await startChaos(server)
  while (done < Number(rounds) && !isOver) {
    const kind = kinds[done % kinds.length] as Kind
    const tookMs = await chaos.round(kind)
    slowest.set(kind, Math.max(slowest.get(kind) ?? 0, tookMs))
    done += 1
    console.log(`${String(done).padStart(4)}  ${kind.padEnd(8)} ${(tookMs / 1000).toFixed(1)} s`)
  }
  outcome = await chaos.compare()
}
await server.remove()
const { acknowledged, lost, doubled, undelivered, gaps, repeated, beyond } = outcome
console.log(`
rounds ${done}, acknowledged ${acknowledged}: lost ${lost}, not delivered ${undelivered}
in the log: twice ${doubled}, numbers missing ${gaps}
delivered again: ${repeated}, of which more than a takeover may repeat: ${beyond}
slowest until all was well again: ${[...slowest].map(([kind, ms]) => `${kind} ${(ms / 1000).toFixed(1)} s`).join(', ')}`)
if (lost + doubled + undelivered + gaps + beyond > 0) process.exitCode = 1
