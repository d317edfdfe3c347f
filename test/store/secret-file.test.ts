import { randomBytes } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { loadOrCreateSecret, loadSecret } from '../../src/store/secret-file.ts'
import { range } from '../support/store/store-events.ts'
import { startChild, temporaryFolder } from '../support/store/store-fixtures.ts'

const VALID = Buffer.alloc(32, 7).toString('base64url')

describe('loadOrCreateSecret', () => {
  it('makes a secret of 32 bytes for its owner alone, and keeps it', () => {
    const folder = join(temporaryFolder(), 'made', 'for it')
    const path = join(folder, 'snaphook.secret')
    const secret = loadOrCreateSecret(path, randomBytes)
    expect(Buffer.from(secret, 'base64url')).toHaveLength(32)
    expect(readFileSync(path, 'utf8')).toBe(`${secret}\n`)
    expect(statSync(path).mode & 0o777).toBe(0o600)
    expect(readdirSync(folder)).toEqual(['snaphook.secret'])
    expect(loadOrCreateSecret(path, randomBytes)).toBe(secret)
  })

  it('takes the bytes that it is given', () => {
    const path = join(temporaryFolder(), 'snaphook.secret')
    expect(loadOrCreateSecret(path, (size) => new Uint8Array(size).fill(7))).toBe(VALID)
  })

  it('has all that start at the same moment agree', async () => {
    const folder = temporaryFolder()
    const children = range(8).map(() => startChild('secret', join(folder, 'snaphook.secret')))
    expect(await Promise.all(children.map(({ ended }) => ended))).toEqual(range(8).map(() => 0))
    expect(new Set(children.map(({ lines }) => lines[0])).size).toBe(1)
    expect(readdirSync(folder)).toEqual(['snaphook.secret'])
  })

  it('leaves the secret of whoever was faster', () => {
    const path = join(temporaryFolder(), 'snaphook.secret')
    const beaten = (size: number) => {
      writeFileSync(path, VALID)
      return randomBytes(size)
    }
    expect(loadOrCreateSecret(path, beaten)).toBe(VALID)
  })

  it('says so where it can make none', () => {
    const folder = temporaryFolder()
    writeFileSync(join(folder, 'file'), '')
    symlinkSync(join(folder, 'nowhere', 'secret'), join(folder, 'dangling'))
    mkdirSync(join(folder, 'folder'))
    for (const name of ['file/snaphook.secret', 'folder']) {
      expect(() => loadOrCreateSecret(join(folder, name), randomBytes)).toThrowError(
        expect.objectContaining({
          name: 'ServiceError',
          code: 'secret_unusable',
          message: expect.stringContaining(folder),
        }),
      )
    }
    expect(readdirSync(folder).toSorted()).toEqual(['dangling', 'file', 'folder'])
  })
})

describe('loadSecret', () => {
  it('finds none where there is no file, and makes none', () => {
    const folder = temporaryFolder()
    expect(loadSecret(join(folder, 'snaphook.secret'))).toBeUndefined()
    expect(readdirSync(folder)).toEqual([])
  })

  it.each([
    ['a secret', VALID],
    ['a secret with padding', `${VALID}=`],
    ['several, newest first', `${Buffer.alloc(48, 8).toString('base64url')},${VALID}`],
  ])('reads %s', (_, text) => {
    const path = join(temporaryFolder(), 'snaphook.secret')
    writeFileSync(path, ` ${text}\r\n`)
    expect(loadSecret(path)).toBe(text)
  })

  it.each([
    ['an empty file', ''],
    ['blanks', ' \n'],
    ['too few bytes', VALID.slice(2)],
    ['another alphabet', `${VALID}+/`],
    ['a list with a gap', `${VALID},`],
  ])('refuses %s without quoting it', (_, text) => {
    const path = join(temporaryFolder(), 'snaphook.secret')
    writeFileSync(path, text)
    expect(() => loadSecret(path)).toThrowError(
      expect.objectContaining({
        code: 'secret_unusable',
        message:
          `The secret file ${path} does not hold base64url of 32 bytes or more: ` +
          'restore it, or delete it to have a new one made.',
      }),
    )
  })
})
