// The real service with leases that run out five times as fast: `node quick-replica-main.ts`. It ends
// on SIGTERM, or however it is killed.
import { createService } from '../../src/app/service.ts'
import { readConfig } from '../../src/config/config.ts'
import { LEASE_TIMES } from '../../src/store/postgres/replicas/leases.ts'
import { createLog } from '../../src/telemetry/log.ts'

const read = readConfig(process.env, String)
if (!read.ok) throw new TypeError(read.problems.join('\n'))
const stopping = new AbortController()
const service = createService(read.value, {
  log: createLog(read.value.logLevel, process.stderr),
  stdout: process.stdout,
  leaseTimes: { ...LEASE_TIMES, pulseMs: 200, ttlMs: 1_200, trustMs: 1_000, deadlineMs: 400 },
})
process.on('SIGTERM', () => {
  stopping.abort()
  void service.stop().then(() => process.exit())
})
await service.start(stopping.signal)
