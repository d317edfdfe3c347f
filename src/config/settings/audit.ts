// How what came is compared with what the provider lists.
import { readDurationOrOff } from '../readers.ts'
import { setting } from '../setting.ts'

export const AUDIT_SETTINGS = {
  /** Undefined: nothing is compared unasked. */
  auditIntervalMs: setting({
    env: 'SNAPHOOK_AUDIT_INTERVAL',
    default: '15m',
    read: readDurationOrOff,
    about: "how often the provider's list of shots is compared with the log; `off`: never",
  }),
}
