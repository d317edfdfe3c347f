// What is logged.
import { oneOf } from '../readers.ts'
import { setting } from '../setting.ts'

export const LOG_SETTINGS = {
  logLevel: setting({
    env: 'SNAPHOOK_LOG_LEVEL',
    default: 'info',
    read: oneOf('debug', 'info', 'warn', 'error'),
    about: '`debug`, `info`, `warn`, `error`; `debug` says why a callback was refused',
  }),
}
