// Which streams were pushed, and when: a push that began anew is two.
import { createRecent } from '../recent.ts'
import { idOf, type StreamName } from './archive.ts'

/** One push; `until` is undefined while it runs. */
export type PushRecord = StreamName & { from: number; until: number | undefined }

/** More than any test pushes, and few enough to be searched. */
const MAX_RECORDS = 10_000

export type PushHistory = ReturnType<typeof createPushHistory>

/** An empty history. */
export function createPushHistory(now: () => number) {
  const records = createRecent<PushRecord>(MAX_RECORDS)
  const running = new Map<string, PushRecord>()

  function end(name: StreamName): void {
    const record = running.get(idOf(name))
    if (record) record.until = now()
    running.delete(idOf(name))
  }

  return {
    begin(name: StreamName): void {
      end(name)
      const { domain, app, stream } = name
      const record = { domain, app, stream, from: now(), until: undefined }
      running.set(idOf(name), record)
      records.add(record)
    },
    end,
    /** The pushes of a domain that were active in the range, in order of their beginning. */
    activeIn: (domain: string, from: number, until: number): PushRecord[] =>
      records
        .all()
        .filter((record) => record.domain === domain)
        .filter((record) => record.from <= until && (record.until ?? Infinity) >= from),
  }
}
