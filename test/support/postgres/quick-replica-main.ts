// The real service with leases that run out five times as fast: `node quick-replica-main.ts`.

import { serveWith } from '../service/service-main.ts'
import { QUICK_LEASE_TIMES } from './quick-leases.ts'

await serveWith({ leaseTimes: QUICK_LEASE_TIMES })
