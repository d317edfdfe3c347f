// The flows of the audit are tested on a store in memory: it does what any store does.
import { auditContract } from '../../contract/audit-contract.ts'
import { memoryStore } from '../../support/store/memory-store.ts'

auditContract('memory', () => {
  const store = memoryStore()
  return async () => store
})
