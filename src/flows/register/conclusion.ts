// The end of a look that needs no write: the state it is in, and what there is to tell of the key.
import { sameKey, shownGeneration } from '../../core/keys/key-ring.ts'
import type { Settled } from '../../core/registration/registration.ts'
import { explain, strangeUrl } from '../../core/registration/step-texts.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'
import type { RingKeeper } from '../keys/key-rings.ts'
import { createStateEntry, type DomainState } from './domain-state.ts'

type Parts = { rings: RingKeeper; metrics: RegistrarMetrics; log: Log }

/** Shows in the metrics which key is in force, as far as the store knows. */
export function measureKey(domain: string, { rings, metrics }: Omit<Parts, 'log'>): void {
  const { current, keys } = rings.ring(domain)
  const seenAt = keys.find(({ id }) => sameKey(id, current))?.seenAt
  if (current === null || seenAt === undefined) return
  metrics.keyInForce(domain, shownGeneration(current), seenAt)
}

/** Makes the function that concludes a look with the step that was planned. */
export function createConclusion({ rings, metrics, log }: Parts) {
  const enter = createStateEntry(log, metrics)

  /** Tells of a key that a command or another replica has put in force. */
  function noticeKey(mine: DomainState): void {
    const { domain, keySeen } = mine
    const { current } = rings.ring(domain)
    mine.keySeen = current
    if (current === null || keySeen === null || sameKey(current, keySeen)) return
    log.info('another notify key is in force', { domain, generation: shownGeneration(current) })
  }

  function noticeHidden(mine: DomainState): void {
    if (mine.saidHidden) return
    mine.saidHidden = true
    log.warn('the provider shows no usable notify key; using what this store knows', {
      domain: mine.domain,
    })
  }

  return (mine: DomainState, step: Settled): void => {
    const { domain } = mine
    mine.looks = 0
    mine.trying = null
    mine.unseen = null
    mine.foundUrl = strangeUrl(step, mine)
    switch (step.kind) {
      case 'released':
      case 'conflict':
        enter(mine, step.kind, explain(step))
        return
      case 'adopt':
        metrics.changed(domain, 'adopt')
        log.warn('a notify key that was set elsewhere is adopted', { domain })
        mine.keySeen = step.shown
        measureKey(domain, { rings, metrics })
        enter(mine, 'in_sync', null)
        return
      case 'in_sync':
        if (step.shown === null && step.problem === null) noticeHidden(mine)
        noticeKey(mine)
        measureKey(domain, { rings, metrics })
        enter(mine, 'in_sync', step.problem === null ? null : explain(step))
    }
  }
}
