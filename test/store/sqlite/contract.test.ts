import { join } from 'node:path'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { storeContract } from '../../contract/store-contract.ts'
import { SECRET } from '../../support/store/store-events.ts'
import { openStore, temporaryFolder } from '../../support/store/store-fixtures.ts'

storeContract('sqlite', () => {
  const path = join(temporaryFolder(), 'made', 'snaphook.db')
  return (secrets = [SECRET]) => openStore(path, { seals: createSeals(secrets) })
})
