// Of receiving.

import { CALLBACK_OUTCOMES, FLAGS } from '../../core/events/callback.ts'
import { KEY_ROLES } from '../../core/keys/accepted-keys.ts'
import { counter, DOMAINS, gauge, histogram, type LabelSet } from '../definition.ts'
import { DURATION_BUCKETS } from './buckets.ts'

/** Stands for every domain that is not ours, so that a request can't make series grow. */
const OTHER_DOMAINS = 'other'
const DOMAINS_AND_OTHER: LabelSet = ({ domains }) => [OTHER_DOMAINS, ...domains]
/** From at once, over the provider's last retry after 30 s, to the default skew of 5 min. */
const AGE_BUCKETS = [0.5, 1, 2, 5, 10, 30, 60, 120, 300]

export const CALLBACK_METRICS = {
  callbacks: counter(
    'snaphook_callbacks_total',
    'Callbacks, by what became of them.',
    { domain: DOMAINS_AND_OTHER, outcome: CALLBACK_OUTCOMES },
    ({ domain, outcome }) => (domain === OTHER_DOMAINS) === (outcome === 'unknown_domain'),
  ),
  flagged: counter('snaphook_callbacks_flagged_total', 'Events kept with a flag.', {
    domain: DOMAINS,
    flag: FLAGS,
  }),
  byKey: counter('snaphook_callbacks_by_key_total', "Callbacks that verified, by the key's role.", {
    domain: DOMAINS,
    key: KEY_ROLES,
  }),
  duration: histogram(
    'snaphook_callback_duration_seconds',
    'From the headers of a callback to its answer.',
    DURATION_BUCKETS,
  ),
  age: histogram(
    'snaphook_callback_age_seconds',
    'Age of a callback that verified, by its signed timestamp.',
    AGE_BUCKETS,
  ),
  lastCallback: gauge(
    'snaphook_last_callback_timestamp_seconds',
    'When the last callback that verified came; 0: never.',
    { domain: DOMAINS },
  ),
}
