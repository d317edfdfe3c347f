// Logs: pino, JSON, on standard error; standard output belongs to the `stdout:` sink.
import { pino } from 'pino'
import type { Log } from '../ports/log.ts'

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

/** A log on `destination`. */
export function createLog(level: LogLevel, destination: Destination): Log {
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
    debug: (message, fields) => logger.debug(fields, message),
    info: (message, fields) => logger.info(fields, message),
    warn: (message, fields) => logger.warn(fields, message),
    error: (message, fields) => logger.error(fields, message),
  }
}
