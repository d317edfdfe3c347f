// Of registration, the notify keys, and the provider's API.
import { CALL_OUTCOMES, OPERATIONS } from '../../core/live-operations.ts'
import { REGISTRATION_CHANGES, REGISTRATION_STATES } from '../../core/registration/registration.ts'
import { counter, DOMAINS, gauge, oneOf } from '../definition.ts'

export const REGISTRATION_METRICS = {
  registrationState: oneOf(
    'snaphook_registration_state',
    '1 for the state of a registration, 0 for the others.',
    { domain: DOMAINS },
    { of: 'state', values: REGISTRATION_STATES, initial: 'pending' },
  ),
  changes: counter('snaphook_registration_changes_total', 'Changes of a registration by us.', {
    domain: DOMAINS,
    change: REGISTRATION_CHANGES,
  }),
  apiRequests: counter('snaphook_api_requests_total', "Calls of the provider's API.", {
    operation: OPERATIONS,
    outcome: CALL_OUTCOMES,
  }),
  generation: gauge(
    'snaphook_notify_key_generation',
    'Generation of the notify key in force; -1: foreign.',
    { domain: DOMAINS },
  ),
  keyAge: gauge(
    'snaphook_notify_key_age_seconds',
    'Since this store first saw the key in force; 0: unknown.',
    { domain: DOMAINS },
  ),
}
