// What a commit is worth is what the server says now, not what it said when we connected.
import { expect, test } from 'vitest'
import type { KeptBy, PostgresLocation } from '../../../../src/core/store-place.ts'
import { createLink } from '../../../../src/store/postgres/connection/link.ts'
import { watchDurability } from '../../../../src/store/postgres/replicas/durability.ts'
import { postgresForFile } from '../../../support/postgres/postgres-server.ts'
import { until } from '../../../support/until.ts'

const server = postgresForFile()

function watch(durability: PostgresLocation['durability']) {
  const location = server().newLocation({ durability })
  const link = createLink({ location, name: 'test' })
  const told: KeptBy[] = []
  const onDurability = (kept: KeptBy) => void told.push(kept)
  const stop = watchDurability({ link, location, onDurability, everyMs: 20 })
  return {
    told,
    async stop() {
      await stop()
      await link.close()
    },
  }
}

async function set(name: string, value: string): Promise<void> {
  await server().query(`alter system set ${name} = '${value}'`)
  await server().query('select pg_reload_conf()')
}

test('a standby that is named, and not any more; a disk that is not synced any more', async () => {
  const asked = watch('standby')
  const content = watch('primary')
  await until('the first look', () => asked.told.length === 1 && content.told.length === 1)
  await set('synchronous_standby_names', 'other')
  await until('the standby to be seen', () => asked.told.length === 2)
  await set('synchronous_standby_names', '')
  await until('it to be missed', () => asked.told.length === 3)
  await set('fsync', 'off')
  await until('it to be worth nothing', () => asked.told.length === 4 && content.told.length === 2)
  await set('fsync', 'on')
  await until('it to be well again', () => asked.told.length === 5 && content.told.length === 3)
  expect(asked.told).toEqual(['primary', 'standby', 'primary', 'nothing', 'primary'])
  expect(content.told).toEqual(['primary', 'nothing', 'primary'])
  await asked.stop()
  await content.stop()
})
