// Logs: pino, JSON, on standard error; standard output belongs to the `stdout:` sink.
import { pino } from 'pino'
import type { Log } from '../ports/log.ts'

const STANDARD_ERROR = 2
/** A reader of standard error that stalls costs at most this much memory; then lines are dropped. */
const MAX_BUFFERED_BYTES = 8 * 1024 * 1024

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

/** A second line of defence: nothing under these names is ever written. */
const REDACTED = [
  'key',
  'notifyKey',
  'secret',
  'token',
  'signature',
  'authorization',
  'accessKeyId',
  'accessKeySecret',
  'securityToken',
]

export type Destination = { write(line: string): void }

/** A log on `destination`, by default standard error. `flush` writes out what is buffered. */
export function createLog(
  level: LogLevel,
  destination: Destination & { flushSync?: () => void } = pino.destination({
    dest: STANDARD_ERROR,
    sync: false,
    maxLength: MAX_BUFFERED_BYTES,
  }),
): { log: Log; flush(): void } {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: REDACTED.flatMap((name) => [name, `*.${name}`]), censor: '[redacted]' },
    },
    destination,
  )
  return {
    log: {
      debug: (message, fields) => logger.debug(fields, message),
      info: (message, fields) => logger.info(fields, message),
      warn: (message, fields) => logger.warn(fields, message),
      error: (message, fields) => logger.error(fields, message),
    },
    flush: () => destination.flushSync?.(),
  }
}
