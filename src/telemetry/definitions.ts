// Every metric of the service. A new one is a definition in the file of its group under
// `definitions/`; a new group is a file there, and a line in both lists here.
import type { Definition } from './definition.ts'
import { AUDIT_METRICS } from './definitions/audit.ts'
import { CALLBACK_METRICS } from './definitions/callbacks.ts'
import { REGISTRATION_METRICS } from './definitions/registration.ts'
import { SERVICE_METRICS } from './definitions/service.ts'
import { SINK_METRICS } from './definitions/sinks.ts'
import { STORE_METRICS } from './definitions/store.ts'

export const METRICS = {
  ...CALLBACK_METRICS,
  ...REGISTRATION_METRICS,
  ...STORE_METRICS,
  ...SINK_METRICS,
  ...AUDIT_METRICS,
  ...SERVICE_METRICS,
}

export type MetricGroup = {
  readonly title: string
  readonly metrics: Readonly<Record<string, Definition>>
}

/** As docs/metrics.md shows them. */
export const METRIC_GROUPS: readonly MetricGroup[] = [
  { title: 'Callbacks', metrics: CALLBACK_METRICS },
  { title: 'Registration', metrics: REGISTRATION_METRICS },
  { title: 'Store', metrics: STORE_METRICS },
  { title: 'Sinks', metrics: SINK_METRICS },
  { title: 'Audit', metrics: AUDIT_METRICS },
  { title: 'Service', metrics: SERVICE_METRICS },
]
