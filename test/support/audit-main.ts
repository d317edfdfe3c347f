// The real service with an audit that looks a few seconds back instead of minutes: `node
// audit-main.ts`. It ends on SIGTERM, or however it is killed.
import { createService } from '../../src/app/service.ts'
import { readConfig } from '../../src/config/config.ts'
import { createLog } from '../../src/telemetry/log.ts'

const read = readConfig(process.env, String)
if (!read.ok) throw new TypeError(read.problems.join('\n'))
const stopping = new AbortController()
const service = createService(read.value, {
  log: createLog(read.value.logLevel, process.stderr),
  stdout: process.stdout,
  audit: { marginMs: 4_000, firstAfterMs: 500 },
})
process.on('SIGTERM', () => {
  stopping.abort()
  void service.stop().then(() => process.exit())
})
await service.start(stopping.signal)
