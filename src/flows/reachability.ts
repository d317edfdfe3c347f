// After the start, tries whether the public URL leads to a snaphook with our secret, and says so if
// not. Only a warning: where load balancers or NAT are between, a service may not see itself.
import type { Probed } from '../core/probe.ts'
import { showUrl } from '../core/registration/notify-url.ts'
import type { Clock } from '../ports/clock.ts'
import type { Log } from '../ports/log.ts'
import type { ProberMetrics } from '../ports/metrics.ts'

/** Before each try. An ingress may take a minute to send anything to a pod that has just come up. */
const PAUSES_MS = [1_000, 4_000, 10_000, 15_000, 30_000] as const
/** After the warning: seldom, until it is reached, so that the metric does not stay bad for ever. */
const LATER_MS = 300_000

/** Resolves once the URL was reached, or `signal` aborted. */
export async function probeAfterStart(deps: {
  publicUrl: string
  send(signal: AbortSignal): Promise<Probed>
  clock: Clock
  metrics: ProberMetrics
  log: Log
  signal: AbortSignal
}): Promise<void> {
  const { publicUrl, send, clock, metrics, log, signal } = deps
  for (let tries = 1; ; tries += 1) {
    await clock.sleep(PAUSES_MS[tries - 1] ?? LATER_MS, signal)
    if (signal.aborted) return
    const { result, detail } = await send(signal)
    if (signal.aborted) return
    metrics.probed(result)
    if (result === 'reached') {
      const wasWarned = tries > PAUSES_MS.length
      log[wasWarned ? 'info' : 'debug']('reached through the public URL', {
        publicUrl: showUrl(publicUrl),
      })
      return
    }
    if (tries !== PAUSES_MS.length) continue
    log.warn(
      'not reached through the public URL; callbacks may not arrive either: doctor tells more',
      { publicUrl: showUrl(publicUrl), reason: detail },
    )
  }
}
