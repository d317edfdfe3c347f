// What the audit of a domain can be, in a closed set: for metrics, readiness and people.

export const AUDIT_STATES = [
  'ok',
  'behind',
  'doubtful',
  'cannot_compare',
  'not_permitted',
  'failing',
  'off',
] as const
export type AuditState = (typeof AUDIT_STATES)[number]

/** Why a range of time was not filled. */
export const GAP_REASONS = ['doubtful', 'cannot_compare', 'too_old', 'released'] as const
export type GapReason = (typeof GAP_REASONS)[number]

/** The sentence that goes with a doubt: it names both causes. */
export const DOUBTFUL_ADVICE =
  'more than a quarter of the listed shots did not come as callbacks: either callbacks do not reach this service, or another replica with a store of its own gets them; nothing is filled unless you run backfill'
export const CANNOT_COMPARE_ADVICE =
  'half of the bodies or more show no object or no stream, so nothing can be compared and nothing is filled'
export const RELEASED_ADVICE =
  'the domain is deregistered: no callback is expected, so nothing is compared until it is registered again'
export const NOT_PERMITTED_ADVICE = 'attach deploy/ram-policy-audit.json to this RAM user or role'

/** Whether so many bodies say too little to compare anything. */
export function cannotCompare({ callbacks, unclear }: { callbacks: number; unclear: number }) {
  return callbacks > 0 && unclear * 2 >= callbacks
}
