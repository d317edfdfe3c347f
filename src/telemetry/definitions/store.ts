// Of the store and its retention.
import { counter, gauge, histogram, SINKS } from '../definition.ts'
import { DURATION_BUCKETS } from './buckets.ts'

/** From a callback alone to the longest queue. */
const COMMIT_EVENTS_BUCKETS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096]

export const STORE_METRICS = {
  commitDuration: histogram(
    'snaphook_store_commit_duration_seconds',
    'Time for one commit to be on disk.',
    DURATION_BUCKETS,
  ),
  commitEvents: histogram(
    'snaphook_store_commit_events',
    'Events of one commit.',
    COMMIT_EVENTS_BUCKETS,
  ),
  eventsStored: gauge('snaphook_events_stored', 'Events in the log.', {}),
  storeBytes: gauge(
    'snaphook_store_bytes',
    'What the store holds, without room that it can use again.',
    {},
  ),
  storeMaxBytes: gauge(
    'snaphook_store_max_bytes',
    'What the store may hold: SNAPHOOK_STORE_MAX.',
    {},
  ),
  expiredEvents: counter(
    'snaphook_events_expired_total',
    'Events that a sink will not get: too old, or no room.',
    { sink: SINKS },
  ),
}
