// What the provider lists, as far as the audit sees it: pushes, shots, and faults.
import type { Range } from '../../../src/core/audit/ranges.ts'
import type { ListedShot, Push, StreamName } from '../../../src/core/audit/shots.ts'
import { type FaultCode, ServiceError } from '../../../src/errors.ts'
import type { SnapshotLists } from '../../../src/ports/audit.ts'

export type ProvidersShot = StreamName & { readonly at: number; readonly object: string }

export function fakeLists(now: () => number) {
  const shots: (ProvidersShot & { isOverlay: boolean })[] = []
  const calls: { operation: 'pushes' | 'shots'; stream: string | null }[] = []
  const faults: { code: FaultCode; times: number }[] = []
  const pushes: { -readonly [Name in keyof Push]: Push[Name] }[] = []

  function call(operation: 'pushes' | 'shots', stream: string | null): void {
    calls.push({ operation, stream })
    const [fault] = faults
    if (fault === undefined) return
    fault.times -= 1
    if (fault.times <= 0) faults.shift()
    throw new ServiceError(`the provider fails (${fault.code})`, { code: fault.code })
  }

  const lists: SnapshotLists = {
    async pushes(_domain, { from, until }) {
      call('pushes', null)
      return pushes
        .filter((push) => (push.from ?? 0) <= until && (push.until ?? Infinity) >= from)
        .map(({ app, stream, ...times }) => ({ ...times, ...fake.spell({ app, stream }) }))
    },
    async shots(wanted, { from, until }: Range) {
      call('shots', wanted.stream)
      const isOf = (shot: StreamName) => {
        const { app, stream } = fake.spell(shot)
        return app === wanted.app && stream === wanted.stream
      }
      return shots
        .filter((shot) => isOf(shot) && shot.at + fake.lagMs <= now())
        .filter(({ at }) => at >= from - 2_000 && at <= until + 2_000)
        .map(listedShot)
    },
  }

  const fake = {
    lists,
    calls,
    faults,
    shots,
    lagMs: 0,
    /** How the list spells a name. */
    spell: ({ app, stream }: StreamName): StreamName => ({ app, stream }),
    /** A push begins; what is returned ends it. */
    push(push: Push): () => void {
      const running = { ...push }
      pushes.push(running)
      return () => {
        running.until = now()
      }
    },
    /** The provider takes a shot: in sequence mode, in overwrite mode, or in both. */
    take(shot: ProvidersShot, mode: 'sequence' | 'overwrite' | 'both' = 'sequence') {
      if (mode !== 'overwrite') shots.push({ ...shot, isOverlay: false })
      if (mode === 'sequence') return
      const object = `${shot.app}/${shot.stream}.jpg`
      shots.push({ ...shot, object, isOverlay: true })
    },
    count: (operation: 'pushes' | 'shots') =>
      calls.filter((each) => each.operation === operation).length,
  }
  return fake
}

function listedShot({ at, object, isOverlay }: ProvidersShot & { isOverlay: boolean }): ListedShot {
  return {
    ...{ at, object, isOverlay, bucket: 'pictures', endpoint: 'oss-cn-shanghai.aliyuncs.com' },
    createTime: `${new Date(at).toISOString().slice(0, 19)}Z`,
    createTimestamp: at,
  }
}
