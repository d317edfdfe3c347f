// Of a store that replicas share; with a SQLite store they stay at zero.
import { KEPT_BY } from '../../core/store-place.ts'
import { counter, gauge, histogram, type LabelSet, oneOf } from '../definition.ts'
import { DURATION_BUCKETS } from './buckets.ts'

/** What has one owner among the replicas. */
const TASKS: LabelSet = ({ sinks }) => [
  'registrar',
  'janitor',
  'audit',
  'streams',
  ...sinks.map((sink) => `sink:${sink}`),
]

export const REPLICA_METRICS = {
  peers: gauge('snaphook_peers', 'Replicas that were seen within the last minute.', {}),
  taskOwned: gauge('snaphook_task_owned', '1 at the replica that owns a task.', { task: TASKS }),
  takeovers: counter('snaphook_takeovers_total', 'Tenures of a task that began here.', {
    task: TASKS,
  }),
  storeWait: histogram(
    'snaphook_store_wait_seconds',
    'How long an append waited for the lock of the log.',
    DURATION_BUCKETS,
  ),
  storeConnected: gauge(
    'snaphook_store_connected',
    '1 while the connection that appends is there.',
    {},
  ),
  durability: oneOf(
    'snaphook_store_durability',
    '1 for what keeps an answered event: primary, a standby too, or nothing.',
    {},
    { of: 'kept', values: KEPT_BY, initial: 'unknown' },
  ),
  failovers: counter(
    'snaphook_store_failovers_total',
    'Failovers of the database that this replica met: event numbers jump.',
    {},
  ),
}
