// What a service does not use it does not load: that would cost every start time and memory.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { setStage, settled } from '../../support/service/stage.ts'

const LIST = new URL('../../support/service/list-loaded.ts', import.meta.url).href
/** The drivers of stores and sinks that are not in the settings, and what stands for the provider. */
const UNUSED = /node_modules\/(?:pg|@redis|@nats-io|undici)\/|src\/(?:store\/postgres|emulator)\//

test('with SQLite and standard output no driver of another store or sink is loaded', async () => {
  await using stage = await setStage()
  const to = `${stage.folder}/loaded`
  const service = await stage.serve({ NODE_OPTIONS: `--import=${LIST}`, LOADED_TO: to })
  await settled(service)
  service.kill('SIGTERM')
  expect(await service.ended).toBe(0)
  const loaded = readFileSync(to, 'utf8').split('\n')
  expect(loaded.some((url) => url.endsWith('/src/store/sqlite/sqlite-store.ts'))).toBe(true)
  expect(loaded.some((url) => url.includes('/node_modules/hono/'))).toBe(true)
  expect(loaded.filter((url) => UNUSED.test(url))).toEqual([])
})
