// The declarations of the settings: what documents and deploy files rely on.
import { expect, test } from 'vitest'
import { SECRET_NAMES } from '../../src/config/environment.ts'
import { GROUPS, SETTINGS } from '../../src/config/settings.ts'

const all = Object.values(SETTINGS)

test('each setting is in one group, under one name', () => {
  const grouped = GROUPS.flatMap(({ settings }) => Object.keys(settings))
  expect(grouped).toEqual(Object.keys(SETTINGS))
  expect(new Set(all.map(({ env }) => env)).size).toBe(all.length)
})

test('a line of the documents is short, and no sentence', () => {
  for (const { env, about } of all) {
    expect([env, about.length > 10 && about.length < 80]).toEqual([env, true])
    expect([env, /[.|\n]$/.test(about)]).toEqual([env, false])
  }
})

test('what holds a secret may be a file', () => {
  expect(SECRET_NAMES).toEqual([
    'SNAPHOOK_SECRET',
    'SNAPHOOK_SINKS',
    'SNAPHOOK_WEBHOOK_SECRET',
    'SNAPHOOK_API_SECRET',
  ])
})
