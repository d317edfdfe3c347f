// Nothing that was acknowledged is lost, whatever happens to the replicas and their server: a round of
// each kind. A hundred rounds are `npm run bench -- chaos 100`.
import { expect, test } from 'vitest'
import { KINDS, startChaos } from '../../support/postgres/chaos.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'

/** As RDS comes: an acknowledged commit is not on disk, unless the transaction asks for it. */
const server = postgresForFile({ synchronous_commit: 'off' })

test('killed, paused, restarted and cut off under load: nothing acknowledged is lost', async () => {
  await using chaos = await startChaos(server())
  for (const kind of KINDS) {
    const tookMs = await chaos.round(kind)
    expect.soft(tookMs, kind).toBeLessThan(10_000)
  }
  const outcome = await chaos.compare()
  expect(outcome.acknowledged).toBeGreaterThan(100)
  expect(outcome).toMatchObject({ lost: 0, doubled: 0, undelivered: 0, gaps: 0, beyond: 0 })
})
