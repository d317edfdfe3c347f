// Of the audit.
import { AUDIT_STATES } from '../../core/audit/state.ts'
import { counter, DOMAINS, gauge, oneOf } from '../definition.ts'

export const AUDIT_METRICS = {
  missedShots: counter(
    'snaphook_snapshots_missed_total',
    'Shots that the provider lists and that no callback brought.',
    { domain: DOMAINS },
  ),
  filledShots: counter(
    'snaphook_snapshots_filled_total',
    "Events that were made of the provider's list.",
    { domain: DOMAINS },
  ),
  auditedUntil: gauge(
    'snaphook_audited_until_timestamp_seconds',
    'How far the audit has come; 0: unknown.',
    { domain: DOMAINS },
  ),
  auditState: oneOf(
    'snaphook_audit_state',
    '1 for the state of the audit, 0 for the others.',
    { domain: DOMAINS },
    { of: 'state', values: AUDIT_STATES, initial: 'ok' },
  ),
}
