// What the provider shows of a domain, and what that tells by itself.
import { hasKeyForm } from '../keys/notify-key.ts'

/** What a Describe shows of a domain. */
export type Observed =
  | { readonly kind: 'absent' }
  | {
      readonly kind: 'present'
      readonly url: string
      readonly auth: boolean
      /** The key as shown, masked or not; null where none is shown. */
      readonly key: string | null
    }

/** Whether there is a key that the provider does not show: masked, or left out. */
export function isKeyHidden(observed: Observed): boolean {
  return observed.kind === 'present' && (observed.key === null || !hasKeyForm(observed.key))
}

/** Whether nothing has changed between two looks. */
export function sameObservation(a: Observed, b: Observed): boolean {
  if (a.kind === 'absent' || b.kind === 'absent') return a.kind === b.kind
  return a.url === b.url && a.auth === b.auth && a.key === b.key
}
