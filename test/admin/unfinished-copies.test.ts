// Copies that were interrupted or lack something, and what can't be copied as it is and is refused.
import { rmSync } from 'node:fs'
import { expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import type { StorePlace } from '../../src/core/store-place.ts'
import { acquireLock } from '../../src/store/sqlite/lock.ts'
import { openShared } from '../support/postgres/postgres-store.ts'
import { temporaryFolder } from '../support/store/store-fixtures.ts'
import { shotOf } from '../support/store/store-life.ts'
import { copy, FEW, fileIn, openAt, placesForFile, SEALED, signal } from './copied-places.ts'

const { shared, dumpOf, lived } = placesForFile()

test.each(['sqlite', 'postgres'])(
  '%s: an interrupted copy goes on, and nobody serves on it',
  async (kind) => {
    const folder = temporaryFolder()
    const from = fileIn(folder)
    const to: StorePlace = kind === 'sqlite' ? fileIn(folder, 'to.db') : shared()
    await lived(from)
    await expect(copy(from, to, { stopAt: 'events' })).rejects.toMatchObject({ code: 'aborted' })
    const unfinished = { message: expect.stringContaining('holds an unfinished copy of') }
    await expect(openAt(to)).rejects.toMatchObject(unfinished)
    await expect(openAt(to, { readOnly: true })).rejects.toMatchObject(unfinished)
    await expect(copy(to, fileIn(folder, 'third.db'))).rejects.toMatchObject(unfinished)
    await expect(copy(from, to, { withEvents: false })).rejects.toMatchObject({
      message: expect.stringMatching(/unfinished copy of .*, with --events: go on with that one/),
    })
    await expect(copy(from, to, { stopAt: 'dead_letters' })).rejects.toMatchObject({
      code: 'aborted',
    })

    // The old service may have gone on meanwhile.
    const store = await openAt(from, SEALED)
    await store.append(shotOf(FEW))
    await store.advanceCursor('hook', FEW + 1)
    await store.changeDeadLetters({ kind: 'drop', sink: 'hook', seqs: [120] })
    const step = { deliveredBefore: 0, anyBefore: shotOf(120).receivedAt, sinks: [], limit: 1_000 }
    await store.prune({ ...step, maxBytes: Number.MAX_SAFE_INTEGER, at: shotOf(FEW).receivedAt })
    await store.close()
    const result = await copy(from, to)
    expect(await dumpOf(to)).toEqual(await dumpOf(from))
    expect(await copy(from, to)).toEqual({ ...result, isKnown: true, copied: {}, left: {} })
    const copied = await openAt(to)
    expect(await copied.stats()).toMatchObject({ events: FEW + 1 - 120, lastSeq: FEW + 1 })
  },
)

test('a copy in which something is missing is not complete', async () => {
  const folder = temporaryFolder()
  const [from, to] = [fileIn(folder), fileIn(folder, 'to.db')]
  await lived(from)
  await expect(
    copy(from, to, { spoil: { writeRows: async () => undefined } }),
  ).rejects.toMatchObject({
    message: expect.stringMatching(/has 0 streams where \d+ were copied: run it again/),
  })
  await copy(from, to)
  expect(await dumpOf(to)).toEqual(await dumpOf(from))
})

test('the rest of a copy is not taken from another log', async () => {
  const folder = temporaryFolder()
  const [from, to] = [fileIn(folder), shared()]
  await lived(from)
  await expect(copy(from, to, { stopAt: 'events' })).rejects.toMatchObject({ code: 'aborted' })
  rmSync(from.path)
  const another = await openAt(from)
  await another.append(shotOf(7))
  await another.close()
  await expect(copy(from, to)).rejects.toMatchObject({
    code: 'store_unavailable',
    message: expect.stringMatching(/holds a part of another log than .* has now/),
  })
})

test('what is not empty, is served on, or is not there, is refused', async () => {
  const folder = temporaryFolder()
  const from = fileIn(folder)
  await expect(copy(from, shared())).rejects.toMatchObject({
    message: `There is no store ${from.path}.`,
  })
  await lived(from)
  for (const to of [fileIn(folder, 'used.db'), shared()]) {
    const used = await openAt(to)
    await used.addUnsigned('live.example.com', 1)
    await used.close()
    await expect(copy(from, to)).rejects.toMatchObject({
      message: expect.stringContaining('is not empty'),
    })
  }

  const locked = { code: 'store_locked', message: expect.stringContaining('in use by') }
  const lock = await acquireLock(from.path, { holder: 'a service', clock: systemClock, signal })
  await expect(copy(from, shared())).rejects.toMatchObject(locked)
  lock.release()
  const to = shared()
  const replica = await openShared(to.location)
  const told = { version: '1', view: () => ({ sinks: [], owned: [] }), onGrowth: () => undefined }
  const leases = replica.join({ name: 'host 1', ...told })
  const lease = await leases.hold('janitor', signal)
  await expect(copy(from, to)).rejects.toMatchObject(locked)
  await expect(copy(to, fileIn(folder, 'new.db'))).rejects.toMatchObject(locked)
  await lease?.release()
  await replica.close()
  await copy(from, to)
})
