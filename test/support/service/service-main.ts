// The real service in a process, with parts replaced that no setting can: it ends on SIGTERM, or
// however it is killed.
import type { Overrides } from '../../../src/app/overrides.ts'
import { createService } from '../../../src/app/service.ts'
import { readConfig } from '../../../src/config/config.ts'
import { createLog } from '../../../src/telemetry/log.ts'

export async function serveWith(overrides: Partial<Overrides>): Promise<void> {
  const read = readConfig(process.env, String)
  if (!read.ok) throw new TypeError(read.problems.join('\n'))
  const stopping = new AbortController()
  const service = createService(read.value, {
    log: createLog(read.value.logLevel, process.stderr),
    stdout: process.stdout,
    ...overrides,
  })
  process.on('SIGTERM', () => {
    stopping.abort()
    void service.stop().then(() => process.exit())
  })
  await service.start(stopping.signal)
}
