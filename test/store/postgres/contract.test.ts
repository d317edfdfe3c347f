import { onTestFinished } from 'vitest'
import { openPostgresStore } from '../../../src/store/postgres/postgres-store.ts'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { storeContract } from '../../contract/store-contract.ts'
import { postgresForFile } from '../../support/postgres/postgres-server.ts'
import { SECRET } from '../../support/store/store-events.ts'

const server = postgresForFile()

storeContract('postgres', () => {
  const location = server().newLocation()
  return async (secrets = [SECRET]) => {
    const seals = createSeals(secrets)
    const store = await openPostgresStore({ location, seals, now: () => 1_700_000_000_000 })
    onTestFinished(() => store.close())
    return store
  }
})
