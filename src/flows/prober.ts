// After the start, tries whether the public URL leads to a snaphook with our secret, and says so if
// not. Only a warning: where load balancers or NAT are between, a service may not see itself.
import type { Probed } from '../core/probe.ts'
import type { Clock, Log, ProberMetrics } from '../ports.ts'

/** Before each try. An ingress may take a minute to send anything to a pod that has just come up. */
const PAUSES_MS = [1_000, 4_000, 10_000, 15_000, 30_000] as const

/** Resolves once the URL was reached, all tries are over, or `signal` aborted. */
export async function probeAfterStart(parts: {
  publicUrl: string
  send(signal: AbortSignal): Promise<Probed>
  clock: Clock
  metrics: ProberMetrics
  log: Log
  signal: AbortSignal
}): Promise<void> {
  const { publicUrl, send, clock, metrics, log, signal } = parts
  let last: Probed | undefined
  for (const pauseMs of PAUSES_MS) {
    await clock.sleep(pauseMs, signal)
    if (signal.aborted) return
    last = await send(signal)
    if (signal.aborted) return
    metrics.probed(last.result)
    if (last.result === 'reached') {
      log.debug('reached through the public URL', { publicUrl })
      return
    }
  }
  log.warn(
    'not reached through the public URL; callbacks may not arrive either: doctor tells more',
    { publicUrl, reason: last?.detail },
  )
}
