// What the log has of a range of time, as far as a comparison needs it: first the moments of each
// stream, then the whole shots of those streams that the provider is asked for. Read in small, paced pieces.
import { type GivenName, KEPT_KINDS, type KeptColumns } from '../../core/audit/kept-columns.ts'
import type { Range } from '../../core/audit/ranges.ts'
import { type KeptShot, PAD_MS } from '../../core/audit/shots.ts'
import type { AuditStore, EventPlace, KeptQuery } from '../../ports/audit.ts'
import type { Pace } from './pace.ts'
import { throwIfStopped } from './stop.ts'

export type KeptReading = Pick<AuditStore, 'surveyKept' | 'readKept'>

/** When the events occurred whose bodies gave this name. */
export type NamedMoments = GivenName & { readonly times: number[] }

export type Survey = {
  readonly named: readonly NamedMoments[]
  /** Callbacks that occurred in the range itself, and those that show no object or no stream. */
  readonly callbacks: number
  readonly unclear: number
}

type Reading = { store: KeptReading; pace: Pace; domain: string; range: Range }

/** Surveys the events of a domain in a range, and a little around it. */
export async function survey(reading: Reading, signal: AbortSignal): Promise<Survey> {
  const { store, pace, range } = reading
  const byName = new Map<string, NamedMoments>()
  const counts = { callbacks: 0, unclear: 0 }
  await inSteps(reading, signal, async (query) => {
    const { next, seconds, columns } = await store.surveyKept(query)
    await pace.after(seconds)
    take(columns)
    await pace.turn()
    return next
  })
  return { named: [...byName.values()], ...counts }

  function take({ names, nameOf, occurredAt, kinds }: KeptColumns): void {
    const known = names.map(({ app, stream }) => {
      const key = JSON.stringify([app, stream])
      const moments = byName.get(key) ?? { app, stream, times: [] }
      byName.set(key, moments)
      return moments
    })
    occurredAt.forEach((at, row) => {
      known[nameOf[row] as number]?.times.push(at)
      if (kinds[row] === KEPT_KINDS.found || at < range.from || at >= range.until) return
      counts.callbacks += 1
      if (kinds[row] === KEPT_KINDS.unclear) counts.unclear += 1
    })
  }
}

/** Reads the events of a domain in a range, and a little around it, but for those of some names. */
export async function readShots(
  reading: Reading & { readonly except: readonly GivenName[] },
  signal: AbortSignal,
): Promise<KeptShot[]> {
  const { store, pace, except } = reading
  const shots: KeptShot[] = []
  await inSteps(reading, signal, async (query) => {
    const step = await store.readKept({ ...query, except })
    shots.push(...step.shots)
    await pace.after(step.seconds)
    return step.next
  })
  return shots
}

async function inSteps(
  { pace, domain, range }: Reading,
  signal: AbortSignal,
  step: (query: KeptQuery) => Promise<EventPlace | null>,
): Promise<void> {
  const padded = { from: range.from - PAD_MS, until: range.until + PAD_MS }
  let after: EventPlace | null = null
  do {
    throwIfStopped(signal)
    pace.begin()
    after = await step({ domain, range: padded, after })
  } while (after !== null)
}
