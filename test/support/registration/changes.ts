// The changes of a registration that a process may die in, and what each starts from.
import { keyOf, type Settings, type Stage } from '../service/stage.ts'

const THEIRS = {
  NotifyUrl: 'https://hook.example.org/theirs',
  NotifyReqAuth: 'yes',
  NotifyAuthKey: 'theirkeytheirkey1234',
}

export type Change = {
  readonly name: string
  /** What `crashing-main.ts` is to do. */
  readonly command: 'serve' | 'rotate' | 'deregister'
  /** Whether a service of this store has registered itself before. */
  readonly registered: boolean
  /** What somebody else does then. */
  readonly edit?: (stage: Stage) => Promise<unknown>
  readonly settings?: Settings
  /** The keys of which one is in force at the end, wherever the process died. */
  readonly keys: readonly string[]
  /** How many writes it takes at most, that of the next start included. */
  readonly writes: readonly number[]
}

export const CHANGES: readonly Change[] = [
  { name: 'create', command: 'serve', registered: false, keys: [keyOf(0)], writes: [1] },
  {
    name: 'rotate',
    command: 'rotate',
    registered: true,
    keys: [keyOf(0), keyOf(1)],
    writes: [0, 1],
  },
  {
    name: 'takeover',
    command: 'serve',
    registered: false,
    edit: (stage) => stage.call('AddLiveSnapshotNotifyConfig', THEIRS),
    settings: { SNAPHOOK_ON_CONFLICT: 'takeover' },
    keys: [keyOf(0)],
    writes: [1],
  },
  {
    name: 'repair',
    command: 'serve',
    registered: true,
    edit: (stage) => stage.call('UpdateLiveSnapshotNotifyConfig', { NotifyReqAuth: 'no' }),
    keys: [keyOf(0)],
    writes: [1],
  },
  { name: 'deregister', command: 'deregister', registered: true, keys: [keyOf(0)], writes: [0] },
]
