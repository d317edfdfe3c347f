// Carries out what the registration of a domain asks for. Logs and metrics at once; with the store and
// the provider one task at a time, and each task ends with the event that answers it.
import { withWriteBegun } from '../../core/keys/key-ring.ts'
import type { Event, Fault, Report, Task } from '../../core/registration/events.ts'
import { sameObservation } from '../../core/registration/observation.ts'
import {
  describeError,
  type FaultCode,
  faultCode,
  mayHaveTakenEffect,
  mayPass,
  throwBug,
} from '../../errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { LiveApi } from '../../ports/live-api.ts'
import type { Log } from '../../ports/log.ts'
import type { RegistrarMetrics } from '../../ports/metrics.ts'
import type { RingKeeper } from '../keys/key-rings.ts'

/** Somebody else wrote between our look and our write: look again, plan again. */
const RACES: ReadonlySet<FaultCode | undefined> = new Set<FaultCode>([
  'api_config_exists',
  'api_config_not_found',
  'outdated',
])

/** Makes what carries out a report, and what does a task and resolves with its answer. */
export function createCarrier(deps: {
  rings: Pick<RingKeeper, 'refresh' | 'replace' | 'change' | 'noteHidden'>
  api: LiveApi
  clock: Clock
  metrics: RegistrarMetrics
  log: Log
  /** Whether this replica may still write: asked right before, since a paused one may have lost its lease. */
  mayWrite?(): boolean
}) {
  const { rings, api, clock, metrics, log, mayWrite = () => true } = deps

  function report(domain: string, effect: Report): void {
    switch (effect.kind) {
      case 'log':
        log[effect.level](effect.message, effect.fields)
        return
      case 'state':
        metrics.registration(domain, effect.state)
        return
      case 'changed':
        metrics.changed(domain, effect.change)
        return
      case 'key_in_force':
        metrics.keyInForce(domain, effect.generation, effect.seenAt)
        return
      case 'key_hidden':
        rings.noteHidden(domain, effect.isHidden)
    }
  }

  async function doTask(
    domain: string,
    task: Task,
    signal: AbortSignal,
    wake: AbortSignal,
  ): Promise<Event> {
    switch (task.kind) {
      case 'read_ring':
        await rings.refresh(domain)
        return { kind: 'ring_read' }
      case 'describe':
        return { kind: 'looked', observed: await api.describe(domain, signal) }
      case 'save_ring':
        return (await rings.replace(domain, task.from, task.to))
          ? { kind: 'saved' }
          : { kind: 'outrun' }
      case 'write':
        await api[task.operation](domain, task.registration, signal, () =>
          isStill(domain, task, signal),
        )
        return { kind: 'written' }
      case 'wake_in':
        await clock.sleep(task.ms, AbortSignal.any([signal, wake]))
        return { kind: 'due' }
    }
  }

  /** Whether the provider still shows what a write was planned from, and nobody has deregistered. */
  async function isStill(
    domain: string,
    { before }: Extract<Task, { kind: 'write' }>,
    signal: AbortSignal,
  ): Promise<boolean> {
    try {
      await rings.refresh(domain)
      if (!sameObservation(await api.describe(domain, signal), before)) return false
      const { released } = await rings.change(domain, (ring, { now }) =>
        ring.released ? ring : withWriteBegun(ring, now),
      )
      return !released && mayWrite()
    } catch (error) {
      // The next look meets it again, and reports it.
      throwBug(error)
      return false
    }
  }

  return {
    report,
    /** Rejects for a bug alone: a fault is an event as well. `wake` ends a pause. */
    async task(...given: Parameters<typeof doTask>): Promise<Event> {
      try {
        return await doTask(...given)
      } catch (error) {
        throwBug(error)
        return { kind: 'failed', fault: faultOf(error) }
      }
    },
  }
}

function faultOf(error: unknown): Fault {
  const code = faultCode(error)
  const kind = RACES.has(code) ? 'race' : mayPass(error) ? 'passing' : 'lasting'
  const problem = describeError(error)
  return { kind, problem, mayHaveTakenEffect: mayHaveTakenEffect(error) }
}
