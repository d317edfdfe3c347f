// A comparison that is called off ends with a fault that callers know for what it is.
import { ServiceError } from '../../errors.ts'

export function throwIfStopped(signal: AbortSignal): void {
  if (signal.aborted) throw new ServiceError('stopped before the end', { code: 'aborted' })
}
