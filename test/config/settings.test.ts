// The declarations of the settings: what documents and deploy files rely on.
import { expect, test } from 'vitest'
import { SECRET_NAMES } from '../../src/config/environment.ts'
import { readSetting, type Setting } from '../../src/config/setting.ts'
import { GROUPS, SETTINGS } from '../../src/config/settings.ts'
import { Problem } from '../../src/core/problem.ts'
import { configFrom, REQUIRED } from '../deploy/code.ts'

const all: readonly Setting<unknown>[] = Object.values(SETTINGS)

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

test('every default is good, and means what it says', () => {
  for (const setting of all) {
    const { env, unset } = setting
    expect([env, readSetting(setting, undefined) instanceof Problem]).toEqual([
      env,
      Object.hasOwn(REQUIRED, env),
    ])
    if (unset.kind !== 'default') continue
    expect(configFrom({ ...REQUIRED, [env]: unset.text })).toEqual(configFrom(REQUIRED))
  }
})
