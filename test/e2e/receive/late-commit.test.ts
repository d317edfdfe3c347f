// An event that the disk takes only after its callback was answered 503 is in the log all the same,
// and so has to reach the sinks, without waiting for another one.
import { DatabaseSync } from 'node:sqlite'
import { expect, test } from 'vitest'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { keyOf, setStage, settled } from '../../support/service/stage.ts'
import { until } from '../../support/until.ts'

test('a commit that comes after its answer is delivered', async () => {
  await using stage = await setStage()
  // With its thread: the one of the test holds the store up.
  await using service = await serveHere(stage, {}, { openStore: openSqliteStore })
  await settled(service)
  const other = new DatabaseSync(stage.storePath)
  other.exec('begin immediate')
  const url = stage.configured()?.NotifyUrl ?? ''
  expect(await sendCallback(url, { key: keyOf(0) })).toMatchObject({ status: 503 })
  expect(service.events()).toEqual([])
  other.exec('rollback')
  other.close()
  await until('the event', () => service.events().length === 1)
})
