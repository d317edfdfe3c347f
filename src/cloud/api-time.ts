// The provider's clock, as any of its answers shows it. pop-core hides the headers, so this is one
// plain request; it needs no credentials.

const TIMEOUT_MS = 5_000

/** Epoch ms, whole seconds; null where no answer with a date came. */
export async function readApiTime(endpoint: string, signal: AbortSignal): Promise<number | null> {
  try {
    const response = await fetch(endpoint, {
      // As all calls of this API are, though this one holds nothing.
      method: 'POST',
      body: new URLSearchParams(),
      redirect: 'manual',
      signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
    })
    await response.body?.cancel()
    const time = Date.parse(response.headers.get('date') ?? '')
    return Number.isNaN(time) ? null : time
  } catch {
    return null
  }
}
