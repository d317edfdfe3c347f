// The real command, killed on the way. The number is that of the list in docs/scaling.md.
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { startTcpProxy } from '../../support/network/tcp-proxy.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { startSnaphook } from '../../support/service/snaphook-process.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'
import { dumpPostgres, dumpSqlite, liveOn } from '../../support/store/store-life.ts'
import { until } from '../../support/until.ts'

const server = postgresForFile({ synchronous_commit: 'off' })
/** Five batches. */
const COUNT = 20_000
const WRITES_EVENTS = /with before as materialized/
const READS_EVENTS = /\.read_\d+\(/

test('29: a copy that is killed twice on the way is equal byte for byte, and so is the way back', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'from.db')
  const source = await openStore(path)
  await liveOn(source, COUNT, {})
  await source.close()
  const { port, proxy, location } = await proxied()
  const url = `postgres://snaphook@127.0.0.1:${port}/snaphook?schema=${location.schema}&sslmode=disable`

  const there = () => start(folder, `sqlite:${path}`, url)
  for (const batch of [2, 3]) await killedAt(there, WRITES_EVENTS, batch)
  const [row] = await server().query(`select count(*)::int as n from ${location.schema}.events`)
  expect(row?.n).toBeGreaterThan(0)
  expect(row?.n).toBeLessThan(COUNT - 100)
  const first = there()
  expect(await first.ended, first.stderr.text()).toBe(0)
  const dump = dumpSqlite(path)
  expect(await dumpPostgres(server(), location.schema)).toEqual(dump)

  const back = join(folder, 'back.db')
  const andBack = () => start(folder, url, `sqlite:${back}`)
  for (const page of [3, 2]) await killedAt(andBack, READS_EVENTS, page)
  expect(await andBack().ended).toBe(0)
  expect(dumpSqlite(back)).toEqual(dump)

  async function proxied() {
    const made = await startTcpProxy({ host: '127.0.0.1', port: server().port })
    onTestFinished(() => made.close())
    return { port: made.port, proxy: made, location: server().newLocation() }
  }

  /** Runs until it says this for the nth time; what it says then never comes, and it is killed. */
  async function killedAt(run: typeof there, statement: RegExp, nth: number): Promise<void> {
    let said = 0
    proxy.hold((piece) => {
      if (statement.test(piece.toString('latin1'))) said += 1
      return said < nth ? [piece, Buffer.alloc(0)] : [Buffer.alloc(0), piece]
    })
    const copying = run()
    await until(`it has come to ${nth}`, () => said === nth || copying.hasEnded())
    expect(said, copying.stderr.text()).toBe(nth)
    copying.kill('SIGKILL')
    expect(await copying.ended).toBe('SIGKILL')
    proxy.hold(null)
  }
})

function start(cwd: string, from: string, to: string) {
  const args = ['copy-store', '--from', from, '--to', to, '--events']
  const command = startSnaphook(args, { env: {}, cwd })
  onTestFinished(() => command[Symbol.asyncDispose]())
  return command
}
