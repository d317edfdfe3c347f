// Tells of a write before it is made: one line, with what was found and why.
import { showUrl } from '../../core/registration/notify-url.ts'
import type { Write } from '../../core/registration/registration.ts'
import { explain } from '../../core/registration/step-texts.ts'
import type { Log } from '../../ports/log.ts'
import type { DomainState } from './domain-state.ts'

/** `wasOurs`: what is to be written was registered before, and somebody else has changed it. */
export function announce(
  { domain, url }: DomainState,
  step: Write,
  wasOurs: boolean,
  log: Log,
): void {
  switch (step.kind) {
    case 'create':
      if (wasOurs) log.warn('registration is gone, creating it again', { domain })
      else log.info('nothing registered, creating it', { domain, url })
      return
    case 'rotate':
      log.info('rotating the notify key', { domain, why: explain(step) })
      return
    case 'repair':
      log.warn('repairing the registration', {
        domain,
        reason: step.reason,
        found: showUrl(step.foundUrl),
      })
      return
    case 'replace':
      log.warn('taking over from another URL', { domain, found: showUrl(step.foundUrl) })
  }
}
