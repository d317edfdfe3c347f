// Where events are kept, how long, and how many.
import { Problem } from '../../core/problem.ts'
import { readDuration } from '../readers.ts'
import { setting } from '../setting.ts'

const SIZE = /^(\d+(?:\.\d+)?)(KB|MB|GB|TB|%)$/
const BYTES = { KB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12 } as const
/** An empty store takes about a hundred kilobytes. */
const MIN_STORE_BYTES = 1e6

/** How large the store may grow: bytes, or a share of the room that there is at the start. */
export type StoreMax = { readonly bytes: number } | { readonly share: number }

export const STORE_SETTINGS = {
  storePath: setting({
    env: 'SNAPHOOK_STORE',
    default: 'sqlite:data/snaphook.db',
    read: readStorePath,
    about: 'event log, key rings, cursors',
  }),
  /** How long delivered events are kept. */
  retentionMs: setting({
    env: 'SNAPHOOK_RETENTION',
    default: '7d',
    read: readDuration,
    about: 'how long events are kept that all sinks have had',
  }),
  /** How long events are kept that a sink lacks. */
  retentionMaxMs: setting({
    env: 'SNAPHOOK_RETENTION_MAX',
    default: '30d',
    read: readDuration,
    about: 'how long events are kept that a sink still lacks',
  }),
  storeMax: setting({
    env: 'SNAPHOOK_STORE_MAX',
    default: '80%',
    read: readStoreMax,
    about: 'how large the store may grow: `20GB`, or a share of its disk',
  }),
}

function readStorePath(given: string): string | Problem {
  const path = given.startsWith('sqlite:') ? given.slice('sqlite:'.length) : ''
  return path === '' || path.startsWith(':')
    ? new Problem('must be sqlite:PATH, such as sqlite:data/snaphook.db')
    : path
}

function readStoreMax(given: string): StoreMax | Problem {
  const [, amount, unit] = SIZE.exec(given) ?? []
  if (unit === '%' && Number(amount) > 0 && Number(amount) <= 100) {
    return { share: Number(amount) / 100 }
  }
  const bytes = Number(amount) * BYTES[unit as keyof typeof BYTES]
  return bytes >= MIN_STORE_BYTES
    ? { bytes }
    : new Problem(
        `must be a size of 1MB or more, such as 20GB, or a share such as 80%; not "${given}"`,
      )
}
