import { describe, expect, test } from 'vitest'
import { readStore } from '../../src/config/store-url.ts'
import { Problem } from '../../src/core/problem.ts'
import { storeName } from '../../src/core/store-place.ts'

const BASE = 'postgres://snap:s%40cret@db.example.com/live'

test('a file', () => {
  expect(readStore('sqlite:data/x.db')).toEqual({ kind: 'sqlite', path: 'data/x.db' })
})

test('a server, with what holds where nothing is said', () => {
  expect(readStore(BASE)).toEqual({
    kind: 'postgres',
    location: {
      host: 'db.example.com',
      port: 5432,
      user: 'snap',
      password: 's@cret',
      database: 'live',
      schema: 'snaphook',
      sslMode: 'verify-full',
      sslRootCert: undefined,
      durability: 'standby',
    },
  })
})

test('a server, with everything said', () => {
  const given = `postgresql://snap@[::1]:5433/live?schema=wall_2&sslmode=verify-full&sslrootcert=/ca.pem&durability=primary`
  const place = readStore(given)
  expect(place).toMatchObject({
    location: {
      host: '::1',
      port: 5433,
      password: undefined,
      schema: 'wall_2',
      sslRootCert: '/ca.pem',
      durability: 'primary',
    },
  })
  if (place instanceof Problem) throw new TypeError(place.sentence)
  expect(storeName(place)).toBe('postgres://[::1]:5433/live?schema=wall_2')
})

describe('a problem that names no login', () => {
  test.each([
    ['', 'must be sqlite:PATH'],
    ['sqlite:', 'must be sqlite:PATH'],
    ['sqlite::memory:', 'must be sqlite:PATH'],
    ['mysql://x/y', 'must be sqlite:PATH'],
    ['postgres://db.example.com/live', 'ROLE:PASSWORD@HOST/DATABASE'],
    ['postgres://snap:secret@db.example.com', 'ROLE:PASSWORD@HOST/DATABASE'],
    ['postgres://snap:secret@db.example.com/a/b', 'ROLE:PASSWORD@HOST/DATABASE'],
    ['postgres://snap:%zz@db.example.com/live#secret', 'ROLE:PASSWORD@HOST/DATABASE'],
    [`${BASE}?sslmode=prefer`, 'sslmode verify-full, require, disable'],
    [`${BASE}?durability=none`, 'durability standby or primary'],
    [`${BASE}?options=-c&user=secret`, 'no parameter "options", "user"'],
    [`${BASE}?schema=a&schema=b`, 'each parameter once'],
    [`${BASE}?schema=Secret-1`, 'schema of lower-case letters'],
    [`${BASE}?schema=pg_x`, 'schema of lower-case letters'],
    [`${BASE}?sslmode=require&sslrootcert=/x`, 'verify-full only'],
  ])('%s', (given, said) => {
    const problem = readStore(given)
    if (!(problem instanceof Problem)) throw new TypeError('no problem')
    expect(problem.sentence).toContain(said)
    expect(problem.sentence).not.toMatch(/s%40cret|s@cret|secret/i)
  })
})
