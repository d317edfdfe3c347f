// Whether a service runs on this machine, and what it says of itself.

/** A service on the same machine answers at once, or not at all. */
const READYZ_TIMEOUT_MS = 4_000
/** Listening there means everywhere; one asks at loopback. */
const ANY_ADDRESS = new Map([
  ['0.0.0.0', '127.0.0.1'],
  ['::', '::1'],
])

/** What `/readyz` says, as far as commands show it. */
export type ServiceStatus = {
  readonly ready: boolean
  readonly reasons: readonly string[]
  readonly store: string
  readonly registrations: readonly {
    domain: string
    state: string
    detail: string | null
    foundUrl: string | null
  }[]
  readonly sinks: readonly {
    name: string
    state: string
    lag: number
    batchSize: number
    detail: string | null
  }[]
  readonly audits?: readonly {
    domain: string
    state: string
    missed: number
    filled: number
    detail: string | null
  }[]
}

type Address = { readonly host: string; readonly port: number }

/** Whether one runs here. */
export async function isServiceHere(address: Address): Promise<boolean> {
  return (await askService(address)) !== null
}

function readyzUrl({ host, port }: Address): string {
  const reached = ANY_ADDRESS.get(host) ?? host
  return `http://${reached.includes(':') ? `[${reached}]` : reached}:${port}/readyz`
}

/** What the service at this address says of itself; null where there is none. */
export async function askService(address: Address): Promise<ServiceStatus | null> {
  try {
    const response = await fetch(readyzUrl(address), {
      signal: AbortSignal.timeout(READYZ_TIMEOUT_MS),
    })
    const answer = (await response.json()) as Partial<ServiceStatus> | null
    const isOurs = [answer?.reasons, answer?.registrations, answer?.sinks].every(Array.isArray)
    return isOurs ? (answer as ServiceStatus) : null
  } catch {
    return null
  }
}
