import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, it, onTestFinished } from 'vitest'
import type { Clock } from '../../../src/ports/clock.ts'
import { acquireLock, type Lock, type LockOptions } from '../../../src/store/sqlite/lock.ts'
import { range } from '../../support/store/store-events.ts'
import { startChild, temporaryFolder } from '../../support/store/store-fixtures.ts'
import { until } from '../../support/until.ts'

const clock: Clock = {
  now: Date.now,
  elapsed: () => performance.now(),
  sleep: (ms) => sleep(ms),
}

async function acquire(path: string, options: Partial<LockOptions> = {}): Promise<Lock> {
  const { signal } = new AbortController()
  const lock = await acquireLock(path, { holder: 'pid 1 on here', clock, signal, ...options })
  onTestFinished(() => lock.release())
  return lock
}

function newPath(): string {
  return join(temporaryFolder(), 'made', 'snaphook.db')
}

describe('the lock of a store', () => {
  it('is held by one, in this process too, and named to the others', async () => {
    const path = newPath()
    const lock = await acquire(path)
    await expect(acquire(path, { holder: 'pid 2', waitMs: 0 })).rejects.toMatchObject({
      name: 'ServiceError',
      code: 'store_locked',
      message:
        `The store ${path} is in use by pid 1 on here: ` +
        'stop it first, or give this one a store of its own.',
    })
    lock.release()
    lock.release()
    await acquire(path, { holder: 'pid 2', waitMs: 0 })
  })

  it('is one for a file and for a symbolic link to it', async () => {
    const path = newPath()
    await acquire(path)
    const link = join(temporaryFolder(), 'link.db')
    symlinkSync(path, link)
    await expect(acquire(link, { holder: 'pid 2', waitMs: 0 })).rejects.toMatchObject({
      code: 'store_locked',
    })
  })

  it('is waited for, by the clock that is passed in', async () => {
    const path = newPath()
    await acquire(path)
    let now = 0
    const manual: Clock = {
      now: () => now,
      elapsed: () => now,
      sleep: async (ms) => {
        now += ms
      },
    }
    await expect(acquire(path, { clock: manual })).rejects.toMatchObject({ code: 'store_locked' })
    expect(now).toBe(15_000)
  })

  it('goes to one who waits as soon as it is released', async () => {
    const path = newPath()
    const lock = await acquire(path)
    const waiting = acquire(path, { holder: 'pid 2' })
    lock.release()
    await waiting
  })

  it('is released by the kernel when its holder is killed', async () => {
    const path = newPath()
    const holder = startChild('lock', path, 'pid 9 on there')
    await until('the lock of the child', () => holder.lines.includes('held'))
    await expect(acquire(path, { waitMs: 0 })).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining('in use by pid 9 on there:'),
    })
    const waiting = acquire(path)
    holder.process.kill('SIGKILL')
    await waiting
  })

  it('goes to exactly one of several that start together', async () => {
    const path = newPath()
    const children = range(4).map((n) => startChild('lock', path, `child ${n}`))
    const holders = () => children.filter(({ lines }) => lines.includes('held'))
    await until('a holder', () => holders().length > 0)
    const [first] = holders()
    await expect(acquire(path, { waitMs: 300 })).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringContaining(`in use by child ${children.indexOf(first as never)}:`),
    })
    expect(holders()).toEqual([first])
    first?.process.kill('SIGKILL')
    await until('the next holder', () => holders().length === 2)
  })

  it('is not given while its holder has yet to write its name', async () => {
    const path = join(temporaryFolder(), 'snaphook.db')
    const holder = new DatabaseSync(`${path}.lock`)
    holder.exec('begin immediate')
    const fault = { code: 'store_locked', message: expect.stringContaining('by another process:') }
    await expect(acquire(path, { waitMs: 0 })).rejects.toMatchObject(fault)
    holder.close()
    await acquire(path, { waitMs: 0 })
  })

  it('is no longer waited for on abort', async () => {
    const path = newPath()
    await acquire(path)
    const aborted = new AbortController()
    const waiting = acquire(path, { signal: aborted.signal })
    aborted.abort()
    await expect(waiting).rejects.toMatchObject({ code: 'aborted' })
  })

  it('rejects with one sentence where it can not be had at all', async () => {
    const path = newPath()
    mkdirSync(`${path}.lock`, { recursive: true })
    await expect(acquire(path)).rejects.toMatchObject({ code: 'store_unavailable' })
    const other = join(temporaryFolder(), 'snaphook.db')
    writeFileSync(`${other}.lock`, 'no database '.repeat(100))
    await expect(acquire(other)).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining(`${other}.lock`),
    })
  })
})
