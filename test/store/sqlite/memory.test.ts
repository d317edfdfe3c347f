import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import { storeContract } from '../../contract/store-contract.ts'
import { memoryPlace } from '../../support/store/memory-place.ts'
import { SECRET } from '../../support/store/store-events.ts'

storeContract('in memory', () => {
  const { open } = memoryPlace(() => 1_700_000_000_000)
  return (secrets = [SECRET]) => open(createSeals(secrets))
})
