// A SQLite file as the source or the target of a copy. Whoever calls holds its lock where nobody may
// serve on it.
import type { CopiedRow, CopySource, CopyTarget } from '../../ports/copy.ts'
import { packStored, unpackStored } from './messages.ts'
import { startWriter } from './writer-link.ts'

/** Counted at once, of events that are not in the tables of streams yet. */
const COUNTED_EVENTS = 5_000

export type SqliteCopyOptions = {
  readonly path: string
  /** Not for a target. */
  readonly readOnly?: boolean
  /** A target may hold a copy that was interrupted. */
  readonly isTarget?: boolean
}

/** Opens it, making it and its folder unless `readOnly`; rejects as `openSqliteStore` does. */
export async function openSqliteCopy({
  path,
  readOnly = false,
  isTarget = false,
}: SqliteCopyOptions): Promise<CopySource & CopyTarget> {
  const workerUrl = new URL('./worker/writer.ts', import.meta.url)
  const writer = await startWriter(workerUrl, {
    ...{ path, readOnly, isForCopy: isTarget },
    // A service may be writing beside it.
    isLive: true,
  })

  return {
    name: path,
    servedBy: () => Promise.resolve(null),
    survey: () => writer.call('copySurvey', undefined),
    async countStreams() {
      while ((await writer.call('fillStreams', COUNTED_EVENTS)).isMore);
    },
    readEvents: async (after, limit) => unpackStored(await writer.call('read', { after, limit })),
    readRows: (table, from, limit) => writer.call('copyRead', { table, from, limit }),
    begin: (mark) => writer.call('copyBegin', mark),
    clear: () => writer.call('copyClear', undefined),
    async writeEvents(events) {
      const columns = packStored(events)
      await writer.call('copyEvents', columns, [columns.events.buffer])
    },
    writeRows: (table, rows) => writer.call('copyWrite', { table, rows: rows.map(ownBytes) }),
    trim: (firstSeq) => writer.call('copyTrim', firstSeq),
    finish: (end) => writer.call('copyFinish', end),
    close: writer.close,
  }
}

/** Copies of bytes that hold no more: a clone would take along all that they are a view of. */
function ownBytes(row: CopiedRow): CopiedRow {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => {
      return [name, value instanceof Uint8Array ? new Uint8Array(value) : value]
    }),
  )
}
