import { execFileSync } from 'node:child_process'
import { existsSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, test } from 'vitest'
import { EMPTY_RING } from '../../../src/core/keys/key-ring.ts'
import { describeBug, ServiceError } from '../../../src/errors.ts'
import type { Commit, SqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { MIGRATIONS } from '../../../src/store/sqlite/worker/migrate.ts'
import { eventOf, range } from '../../support/store/store-events.ts'
import { openStore, startChild, temporaryFolder } from '../../support/store/store-fixtures.ts'
import { until } from '../../support/until.ts'

const NEWEST = String(MIGRATIONS.at(-1)?.version)

/** Lifts `max_page_count`: the most that SQLite can hold. */
const NO_LIMIT = 4_294_967_294
const workerUrl = new URL('../../support/store/store-writer.ts', import.meta.url)

function newPath(): string {
  return join(temporaryFolder(), 'snaphook.db')
}

describe('durability', () => {
  it('syncs the disk at every commit of the connection that writes', async () => {
    const store = await openStore(newPath())
    const FULL = 2
    expect(await store.pragma('synchronous')).toBe(FULL)
    expect(await store.pragma('journal_mode')).toBe('wal')
  })

  it('has every acknowledged event after kill -9', async () => {
    const path = newPath()
    const child = startChild('append', path)
    await until('acknowledged events', () => child.lines.length > 300)
    child.process.kill('SIGKILL')
    expect(await child.ended).toBe('SIGKILL')

    const store = await openStore(path)
    const { events, lastSeq } = await store.stats()
    const kept = new Map((await store.read(0, lastSeq)).map(({ seq, id }) => [seq, id]))
    expect(kept.size).toBe(events)
    // The last line may have been cut off by the kill.
    for (const line of child.lines.slice(0, -1)) {
      const [seq, n] = line.split(' ').map(Number)
      expect(kept.get(seq as number)).toBe(eventOf(n as number).id)
    }
  })

  it('commits for many at once', async () => {
    const commits: Commit[] = []
    const store = await openStore(newPath(), { onCommit: (commit) => commits.push(commit) })
    await Promise.all(
      range(50).map(async (worker) => {
        for (const n of range(20)) await store.append(eventOf(worker * 20 + n))
      }),
    )
    expect(commits.reduce((sum, { events }) => sum + events, 0)).toBe(1000)
    expect(commits.length).toBeLessThan(200)
    expect(Math.min(...commits.map(({ seconds }) => seconds))).toBeGreaterThan(0)
  })

  it('empties the log when it closes', async () => {
    const path = newPath()
    const store = await openStore(path)
    await store.append(eventOf(1))
    await store.close()
    expect(existsSync(`${path}-wal`)).toBe(false)
  })
})

describe('foreign keys', () => {
  it('are never in the files of the store', async () => {
    const path = newPath()
    const store = await openStore(path)
    const key = 'SetByHand0123456789'
    const current = { kind: 'foreign', key } as const
    const keys = [{ id: current, seenAt: 0, usedAt: 0 }]
    await store.saveRing('live.example.com', { ...EMPTY_RING, current, keys }, 0)
    // Read by another process: closing a file here would drop the locks that SQLite has on it.
    const readAll = () => execFileSync('cat', [path, `${path}-wal`])
    expect(readAll().includes('live.example.com')).toBe(true)
    expect(readAll().includes('sealed')).toBe(true)
    expect(readAll().includes(key)).toBe(false)
  })
})

describe('a full store', () => {
  it('refuses events and says so, and takes them again once there is room', async () => {
    const store = await openStore(newPath())
    const body = new Uint8Array(3_000)
    await store.pragma('max_page_count = 60')
    const kept = await fill(store, body)
    await expect(store.append(eventOf(kept, { body }))).rejects.toMatchObject({
      name: 'ServiceError',
      code: 'store_full',
    })
    await expect(store.checkWritable()).rejects.toMatchObject({ code: 'store_full' })
    expect(await store.stats()).toEqual({ events: kept, lastSeq: kept })

    await store.pragma(`max_page_count = ${NO_LIMIT}`)
    await store.checkWritable()
    expect(await store.append(eventOf(kept, { body }))).toEqual({
      seq: kept + 1,
      duplicate: false,
    })
  })

  it('fails all events of a group, but none of the cursors in it', async () => {
    const store = await openStore(newPath())
    const body = new Uint8Array(3_000)
    await store.pragma('max_page_count = 60')
    const kept = await fill(store, body)
    const answers = await Promise.allSettled([
      store.append(eventOf(kept + 1, { body })),
      store.append(eventOf(kept + 2, { body })),
      store.advanceCursor('stdout', 3),
    ])
    expect(answers).toMatchObject([
      { reason: { code: 'store_full' } },
      { reason: { code: 'store_full' } },
      { status: 'fulfilled' },
    ])
    expect(await store.loadCursor('stdout')).toBe(3)
  })

  /** Appends until there is no room; returns how many events there was room for. */
  async function fill(store: SqliteStore, body: Uint8Array): Promise<number> {
    const CANNOT_FIT = 100
    for (const n of range(CANNOT_FIT)) {
      const kept = await store.append(eventOf(n, { body })).catch(() => null)
      if (kept === null) return n
    }
    throw new Error('the store is never full')
  }
})

describe('a writer that hangs', () => {
  it('has appends rejected as slow, and counts them until it answers', async () => {
    const path = newPath()
    const limits = { appendTimeoutMs: 500, maxEvents: 3 }
    const store = await openStore(path, { workerUrl, limits })
    writeFileSync(`${path}.hang`, '')
    const slow = await Promise.allSettled(range(3).map((n) => store.append(eventOf(n))))
    for (const answer of slow) expect(answer).toMatchObject({ reason: { code: 'store_slow' } })
    await expect(store.append(eventOf(3))).rejects.toMatchObject({ code: 'store_overloaded' })
    await expect(store.checkWritable()).rejects.toMatchObject({ code: 'store_slow' })

    rmSync(`${path}.hang`)
    await until('the slow events', async () => (await store.stats()).events === 3)
    await store.checkWritable()
    expect(await store.append(eventOf(3))).toEqual({ seq: 4, duplicate: false })
  })

  it('keeps nobody from answering in the event loop', async () => {
    const path = newPath()
    const store = await openStore(path, { workerUrl })
    writeFileSync(`${path}.hang`, '')
    const append = store.append(eventOf(1))
    const start = performance.now()
    await new Promise(setImmediate)
    expect(performance.now() - start).toBeLessThan(1_000)
    rmSync(`${path}.hang`)
    expect(await append).toEqual({ seq: 1, duplicate: false })
  })
})

describe('a writer that crashes', () => {
  it('fails what it had, and is started again', async () => {
    const path = newPath()
    const store = await openStore(path, { workerUrl })
    await store.append(eventOf(1))
    writeFileSync(`${path}.crash`, '')
    const lost = await Promise.allSettled([store.append(eventOf(2)), store.read(0, 1)])
    for (const answer of lost) expect(answer).toMatchObject({ reason: { code: 'store_failed' } })
    await expect(store.checkWritable()).rejects.toMatchObject({ code: 'store_failed' })
    await expect(store.append(eventOf(2))).rejects.toMatchObject({ code: 'store_failed' })

    rmSync(`${path}.crash`)
    await until('a writable store', () =>
      store.checkWritable().then(
        () => true,
        () => false,
      ),
    )
    expect(await store.append(eventOf(2))).toEqual({ seq: 2, duplicate: false })
  })

  it('is not started again on a store that was moved away: that would make a new one', async () => {
    const path = newPath()
    const store = await openStore(path, { workerUrl })
    renameSync(path, `${path}.away`)
    await expect(store.checkWritable()).rejects.toMatchObject({ code: 'store_damaged' })
    writeFileSync(`${path}.crash`, '')
    await expect(store.stats()).rejects.toMatchObject({ code: 'store_damaged' })
    rmSync(`${path}.crash`)
    await sleep(300)
    await expect(store.append(eventOf(1))).rejects.toMatchObject({ code: 'store_damaged' })
    expect(existsSync(path)).toBe(false)
  })

  it('can be closed while there is none', async () => {
    const path = newPath()
    const store = await openStore(path, { workerUrl })
    writeFileSync(`${path}.crash`, '')
    await expect(store.stats()).rejects.toMatchObject({ code: 'store_failed' })
    await store.close()
  })
})

test.each([
  ['an event', (store: SqliteStore) => store.append(eventOf(1, { domain: {} as string }))],
  ['a write', (store: SqliteStore) => store.advanceCursor('stdout', {} as number)],
  ['a call', (store: SqliteStore) => store.loadCursor(undefined as never)],
])(
  '%s that is a bug is no fault of the store, and has the frames of its thread',
  async (_, ask) => {
    const store = await openStore(newPath())
    const error = await ask(store).then(
      () => null,
      (thrown: unknown) => thrown,
    )
    expect(error).toBeInstanceOf(Error)
    expect(error).not.toBeInstanceOf(ServiceError)
    expect(describeBug(error).frames.join()).toContain('/worker/')
    expect(await store.append(eventOf(2))).toMatchObject({ duplicate: false })
  },
)

describe('opening', () => {
  it('rejects with one sentence and the path', async () => {
    const path = temporaryFolder()
    await expect(openStore(path)).rejects.toMatchObject({
      name: 'ServiceError',
      code: 'store_unavailable',
      message: expect.stringMatching(/^The store \S+ can't be opened: .*\.$/),
    })
  })

  it('reads beside a running service and writes nothing', async () => {
    const path = newPath()
    const service = await openStore(path)
    await service.append(eventOf(1))
    await service.advanceCursor('stdout', 1)
    const looking = await openStore(path, { readOnly: true })
    expect(await looking.stats()).toEqual({ events: 1, lastSeq: 1 })
    expect(await looking.loadCursor('stdout')).toBe(1)
    await expect(looking.append(eventOf(2))).rejects.toMatchObject({ code: 'store_failed' })
    await expect(looking.checkWritable()).rejects.toMatchObject({ code: 'store_failed' })
  })

  it('succeeds for all that start at the same moment', async () => {
    const path = newPath()
    const children = range(4).map(() => startChild('open', path))
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual([0, 0, 0, 0])
    expect(children.map(({ lines }) => lines)).toEqual(range(4).map(() => [NEWEST]))
  })
})
