// Every setting of the service, and the values that they make. A new setting is a declaration in the
// file of its group under `settings/`; a new group is a file there, and a line in both lists here.
import type { Group, Setting } from './setting.ts'
import { API_SETTINGS } from './settings/api.ts'
import { AUDIT_SETTINGS } from './settings/audit.ts'
import { IMAGE_SETTINGS } from './settings/images.ts'
import { KEY_SETTINGS } from './settings/keys.ts'
import { LISTENER_SETTINGS } from './settings/listeners.ts'
import { LOG_SETTINGS } from './settings/log.ts'
import { REGISTRATION_SETTINGS } from './settings/registration.ts'
import { SINK_SETTINGS } from './settings/sinks.ts'
import { STORE_SETTINGS } from './settings/store.ts'

/** By the property of `Config` that each makes. */
export const SETTINGS = {
  ...REGISTRATION_SETTINGS,
  ...LISTENER_SETTINGS,
  ...STORE_SETTINGS,
  ...KEY_SETTINGS,
  ...SINK_SETTINGS,
  ...AUDIT_SETTINGS,
  ...API_SETTINGS,
  ...IMAGE_SETTINGS,
  ...LOG_SETTINGS,
}

/** As docs/settings.md shows them. */
export const GROUPS: readonly Group[] = [
  { title: 'Registration', settings: REGISTRATION_SETTINGS },
  { title: 'Listeners', settings: LISTENER_SETTINGS },
  { title: 'Store', settings: STORE_SETTINGS },
  { title: 'Keys', settings: KEY_SETTINGS },
  { title: 'Sinks', settings: SINK_SETTINGS },
  { title: 'Audit', settings: AUDIT_SETTINGS },
  { title: 'API', settings: API_SETTINGS },
  { title: 'Pictures', settings: IMAGE_SETTINGS },
  { title: 'Log', settings: LOG_SETTINGS },
]

/** The values of the settings, each read by itself. */
export type Values = {
  readonly [Key in keyof typeof SETTINGS]: (typeof SETTINGS)[Key] extends Setting<infer T>
    ? T
    : never
}
