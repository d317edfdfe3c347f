// Stores of both kinds with a life behind them, and copying between them.
import { join } from 'node:path'
import { type CopyResult, copyStore } from '../../src/admin/copy-store.ts'
import { openCopySource, openCopyTarget } from '../../src/app/copies.ts'
import { systemClock } from '../../src/app/system-clock.ts'
import { EMPTY_RING, type Ring } from '../../src/core/keys/key-ring.ts'
import type { StorePlace } from '../../src/core/store-place.ts'
import type { CopyTarget } from '../../src/ports/copy.ts'
import type { Reading } from '../../src/ports/reading.ts'
import type { Store } from '../../src/ports/store.ts'
import { createSeals } from '../../src/store/sealed-rings/seal.ts'
import { postgresForFile } from '../support/postgres/postgres-server.ts'
import { openShared } from '../support/postgres/postgres-store.ts'
import { OTHER_SECRET, SECRET } from '../support/store/store-events.ts'
import { openStore } from '../support/store/store-fixtures.ts'
import {
  allStreams,
  type Dump,
  dumpPostgres,
  dumpSqlite,
  liveOn,
} from '../support/store/store-life.ts'

/** Enough for something in each table. */
export const FEW = 500
export const signal = new AbortController().signal

export const fileIn = (folder: string, name = 's.db') =>
  ({ kind: 'sqlite', path: join(folder, name) }) as const

export const RING: Ring = {
  ...EMPTY_RING,
  current: { kind: 'foreign', key: 'foreignkey1234567890' },
  keys: [
    { id: { kind: 'foreign', key: 'foreignkey1234567890' }, seenAt: 7, usedAt: 9 },
    { id: { kind: 'derived', secret: SECRET.fingerprint, generation: 3 }, seenAt: 1, usedAt: 2 },
  ],
  confirmedUrl: 'https://hooks.example.com/callbacks/live.example.com',
}
export const RINGS = { 'live.example.com': RING, 'quiet.example.com': { ...RING, released: true } }
/** Under a secret that the copy does not have. */
export const SEALED = { seals: createSeals([OTHER_SECRET]) }

type Asked = {
  readonly withEvents: boolean
  /** Stops after the first batch of this. */
  readonly stopAt: string
  /** Stands for what the target does. */
  readonly spoil: Partial<CopyTarget>
}

/** Copies, with both stores opened as the command does it. */
export async function copy(
  from: StorePlace,
  to: StorePlace,
  { withEvents = true, stopAt = '', spoil = {} }: Partial<Asked> = {},
): Promise<CopyResult> {
  const stopping = new AbortController()
  const onProgress = ({ what }: { what: string }) => {
    if (what === stopAt) stopping.abort()
  }
  const access = { clock: systemClock, signal }
  const source = await openCopySource(from, { ...access, isAlone: withEvents })
  try {
    const target = await openCopyTarget(to, { ...access, isAlone: true })
    try {
      const told = { now: Date.now, signal: stopping.signal, onProgress }
      return await copyStore({ from: source, to: { ...target, ...spoil }, withEvents, ...told })
    } finally {
      await target.close()
    }
  } finally {
    await source.close()
  }
}

export const openAt = (place: StorePlace, options = {}): Promise<Store & Reading> =>
  place.kind === 'sqlite' ? openStore(place.path, options) : openShared(place.location, options)

/** Places of both kinds for the tests of one file, and what is in them. */
export function placesForFile() {
  const server = postgresForFile()
  const shared = () => ({ kind: 'postgres', location: server().newLocation() }) as const
  const dumpOf = (place: StorePlace): Dump | Promise<Dump> =>
    place.kind === 'sqlite' ? dumpSqlite(place.path) : dumpPostgres(server(), place.location.schema)

  /** A store with a life behind it, closed again. */
  async function lived<P extends StorePlace>(place: P, count = FEW) {
    const store = await openAt(place, SEALED)
    await liveOn(store, count, RINGS)
    const streams = await allStreams(store)
    await store.close()
    return { place, streams, dump: await dumpOf(place) }
  }
  return { server, shared, dumpOf, lived }
}
