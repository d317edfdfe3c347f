// Registers domains once, or rotates their keys once, and verifies it.

import type { Overrides } from '../app/overrides.ts'
import { type OpenRegistrar, openRegistrar } from '../app/wiring.ts'
import type { Config } from '../config/config.ts'
import type { RegistrationView } from '../ports/views.ts'

/** How often to look whether all has settled. */
const POLL_MS = 50

/** Registers every domain, also one that was deregistered. See `settle`. */
export async function registerAll(
  config: Config,
  overrides: Overrides,
  signal: AbortSignal,
): Promise<readonly RegistrationView[]> {
  const open = await openRegistrar(config, overrides)
  return settle(open, signal, async ({ rings }) => {
    for (const domain of config.domains) {
      await rings.change(domain, (ring) => (ring.released ? { ...ring, released: false } : ring))
    }
  })
}

/** Rotates the notify keys of `domains`. See `settle`. */
export async function rotateAll(
  config: Config,
  overrides: Overrides,
  domains: readonly string[],
  signal: AbortSignal,
): Promise<readonly RegistrationView[]> {
  const open = await openRegistrar(config, overrides, domains)
  return settle(open, signal, async ({ registrar }) => {
    for (const domain of domains) registrar.rotate(domain)
  })
}

/** Resolves when each domain has settled one way or the other, or when `signal` aborts. */
async function settle(
  open: OpenRegistrar,
  signal: AbortSignal,
  prepare: (open: OpenRegistrar) => Promise<void>,
): Promise<readonly RegistrationView[]> {
  const { registrar, clock } = open
  const ended = new AbortController()
  try {
    await prepare(open)
    const running = registrar.run(AbortSignal.any([signal, ended.signal]))
    while (!signal.aborted && registrar.views().some(({ state }) => state === 'pending')) {
      await clock.sleep(POLL_MS, signal)
    }
    ended.abort()
    await running
    return registrar.views()
  } finally {
    ended.abort()
    await open.close()
  }
}
