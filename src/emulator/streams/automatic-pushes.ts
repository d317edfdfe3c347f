// The streams that an emulator pushes by itself. Nothing is configured when it starts, so they
// begin anew when their domain first is: a fresh demo would have unsigned callbacks for ever.
import type { Pushes } from './pushes.ts'

const APP = 'live'

/** `streams` pushes, spread over the domains; without domains they wait for the first one named. */
export function createAutomaticPushes(options: {
  streams: number
  intervalMs: number
  pushes: Pushes
}) {
  const { intervalMs, pushes } = options
  let unassigned = options.streams

  function begin(domains: readonly string[]): void {
    if (domains.length === 0) return
    for (let index = 0; index < unassigned; index += 1) {
      const domain = (domains[index % domains.length] ?? '').toLowerCase()
      const name = { domain, app: APP, stream: `stream-${index + 1}` }
      pushes.start(name, { intervalMs, isAutomatic: true })
    }
    unassigned = 0
  }

  return {
    begin,
    /** To be called when a domain's callback was configured. */
    wake(domain: string): void {
      begin([domain])
      pushes.pushAgainUnconfigured(domain)
    },
  }
}
