// Looking into the store, as the event loop asks for it. A running service reads by filter over a
// connection and a thread of its own, opened when somebody first asks: appends never wait for a reader.
import type { AuditStore } from '../../ports/audit.ts'
import type { Reading } from '../../ports/reading.ts'
import { unpackStored } from './messages.ts'
import type { WriterLink } from './writer-link.ts'

/** Counting what was kept before streams were is the writer's. */
export type Reader = Omit<Reading, 'fillStreams'> &
  Pick<AuditStore, 'surveyKept' | 'readKept'> & { close(): Promise<void> }

/** `open` is called at most once, unless it fails. */
export function createReading(open: () => Promise<WriterLink>): Reader {
  let opened: Promise<WriterLink> | undefined

  function link(): Promise<WriterLink> {
    opened ??= open().catch((error: unknown) => {
      opened = undefined
      throw error
    })
    return opened
  }

  return {
    async findEvents(query) {
      const { next, kept, ...columns } = await (await link()).call('findEvents', query)
      return { events: unpackStored(columns), next, kept }
    },

    findJson: async (query) => (await link()).call('findJson', query),
    findFrames: async (query, wanted) => (await link()).call('findFrames', { query, wanted }),

    async findEvent(id, seq) {
      const reader = await link()
      if (seq !== undefined) {
        const known = await reader.call('findEventAt', { id, seq })
        if (known !== null) return unpackStored(known)[0] ?? null
      }
      let from = null
      for (;;) {
        // One step at a time, so that other reads come in between.
        const step: Awaited<ReturnType<typeof reader.call<'findEventStep'>>> = await reader.call(
          'findEventStep',
          { id, from },
        )
        if (!('goOn' in step))
          return step.found === null ? null : (unpackStored(step.found)[0] ?? null)
        from = step.goOn
      }
    },

    logRange: async () => (await link()).call('logRange', undefined),
    findStreams: async (query) => (await link()).call('findStreams', query),
    surveyKept: async (query) => (await link()).call('surveyKept', query),
    readKept: async (query) => (await link()).call('readKept', query),

    async close() {
      await (await opened?.catch(() => undefined))?.close()
    },
  }
}
