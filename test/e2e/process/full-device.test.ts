// What a command prints is counted on: where it can't be written, the command says so and fails.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { temporaryFolder } from '../../support/store/store-fixtures.ts'

const MAIN = new URL('../../../src/main.ts', import.meta.url).pathname

function run(commandLine: string) {
  const env = {
    PATH: process.env.PATH,
    SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
    SNAPHOOK_DOMAINS: 'play.example.com',
    SNAPHOOK_STORE: `sqlite:${join(temporaryFolder(), 'snaphook.db')}`,
    SNAPHOOK_OPS_LISTEN: '127.0.0.1:1',
    SNAPHOOK_API_SECRET: 'y'.repeat(40),
  }
  const line = commandLine.replace('snaphook', `"${process.execPath}" "${MAIN}"`)
  return spawnSync('bash', ['--norc', '-c', `set -o pipefail; ${line}`], { env, encoding: 'utf8' })
}

test.skipIf(!existsSync('/dev/full')).each(['token', 'status', '--help'])(
  '%s into a full device exits 1 with a sentence',
  (command) => {
    const { status, stderr } = run(`snaphook ${command} > /dev/full`)
    expect([status, stderr]).toEqual([1, "snaphook: what it prints can't be written (ENOSPC)\n"])
  },
)

test('a reader that went away has had enough', () => {
  const { status, stderr, stdout } = run('snaphook --help | head -n 1')
  expect([status, stderr, stdout]).toEqual([0, '', 'Usage: snaphook [options] [command]\n'])
})
