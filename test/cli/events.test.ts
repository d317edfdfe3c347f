// `events` and `streams` on a store, and what reaches a terminal of any command.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import { DOMAIN, shotOf } from '../support/service/api-here.ts'
import { testShell } from '../support/service/test-shell.ts'
import { openStore } from '../support/store/store-fixtures.ts'
import { until } from '../support/until.ts'

/** What a terminal obeys: C0 but for line feeds, DEL, C1, and what turns text around. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const OBEYED = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069\u2028\u2029]/
const EVIL = '\u001b]0;owned\u0007\u009b31m\u202eevil\n\r\u0085'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'snaphook-events-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const path = () => join(folder, 's.db')

async function run(...argv: string[]) {
  const it = testShell({
    SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
    SNAPHOOK_DOMAINS: DOMAIN,
    SNAPHOOK_STORE: `sqlite:${path()}`,
  })
  const code = await runCli(argv, it.shell)
  return { ...it, code }
}

async function filled() {
  const store = await openStore(path())
  const now = Date.now()
  for (let n = 1; n <= 5; n++) {
    const receivedAt = now - (5 - n) * 60_000
    const fields = { AppName: 'live', StreamName: n % 2 ? 'odd' : 'even', OssObject: `o/${n}.jpg` }
    await store.append(shotOf(fields, { receivedAt }))
  }
  return store
}

describe('events', () => {
  test('are a table for people and a CloudEvent a line for programs, beside a running service', async () => {
    const store = await filled()
    const people = await run('events', '--limit', '2')
    expect(people.code).toBe(0)
    expect(people.printed()).toMatch(
      /^SEQ +RECEIVED .*\n5 .* live\/odd +o\/5\.jpg\n4 .* live\/even/,
    )
    const programs = await run('events', '--json', '--order', 'asc', '--stream', 'even')
    const events = programs
      .printed()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.map(({ data }) => data.seq)).toEqual([2, 4])
    await store.close()
  })

  test('are found without a service as well', async () => {
    await (await filled()).close()
    expect((await run('events', '--json', '--since', '90s')).printed().split('\n')).toHaveLength(2)
  })

  test('are followed', async () => {
    const store = await filled()
    const it = testShell({
      SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
      SNAPHOOK_DOMAINS: DOMAIN,
      SNAPHOOK_STORE: `sqlite:${path()}`,
    })
    const running = runCli(['events', '--follow', '--json', '--limit', '1'], it.shell)
    await until('the last event', () => it.printed().includes('o/5.jpg'))
    await store.append(shotOf({ OssObject: 'o/6.jpg' }))
    await store.append(shotOf({ OssObject: 'o/7.jpg' }))
    await until('the new events', () => it.printed().includes('o/7.jpg'))
    it.stop()
    expect(await running).toBe(0)
    const seqs = it
      .printed()
      .split('\n')
      .map((line) => JSON.parse(line).data.seq)
    expect(seqs).toEqual([5, 6, 7])
    await store.close()
  })

  test.each([
    [['events', '--limit', 'x'], '--limit'],
    [['events', '--order', 'up'], '--order'],
    [['events', '--since', 'soon'], '--since'],
    [['events', '--since', '1h', '--until', '2h'], '--until'],
    [['events', '--flag', 'odd'], '--flag'],
    [['streams', '--state', 'dead'], '--state'],
  ])('%j is refused by name', async (argv, option) => {
    const { code, errors } = await run(...argv)
    expect(code).toBe(64)
    expect(errors()).toContain(`option ${option} must be`)
  })

  test.each(['events', 'streams'])('%s without a store says so', async (command) => {
    const { code, errors } = await run(command)
    expect(code).toBe(1)
    expect(errors()).toContain('there is no store')
  })
})

test('streams show the latest shot of each, and whether it is live', async () => {
  await (await filled()).close()
  const { printed } = await run('streams', '--order', 'name')
  expect(printed()).toMatch(
    /live\/even +live +1m ago +- +2 +o\/4\.jpg\n.*live\/odd +live +0s ago +120s +3/,
  )
  const [first] = (await run('streams', '--json', '--q', 'ODD')).printed().split('\n')
  expect(JSON.parse(first ?? '')).toMatchObject({
    stream: 'odd',
    state: 'live',
    intervalSeconds: 120,
    latest: { seq: 5, object: 'o/5.jpg' },
  })
})

describe('what a terminal obeys reaches none', () => {
  test.each([
    [['events']],
    [['events', '--json']],
    [['streams']],
    [['streams', '--json']],
    [['dead-letters', 'list']],
    [['dead-letters', 'list', '--json']],
    [['status']],
    [['replay', '--sink', `x${EVIL}`]],
    [['events', '--order', EVIL]],
    [[EVIL]],
  ])('%j', async (argv) => {
    const store = await openStore(path())
    const event = shotOf({ AppName: EVIL, StreamName: EVIL, OssObject: EVIL, OssBucket: EVIL })
    await store.append(event)
    const rejected = { event: { ...event, seq: 1 }, reason: EVIL, attempts: 1 }
    await store.advanceCursor('stdout', 1, [rejected])
    await store.close()
    const { printed, errors } = await run(...argv)
    expect(`${printed()}${errors()}`).not.toBe('')
    expect(printed()).not.toMatch(OBEYED)
    expect(errors()).not.toMatch(OBEYED)
  })
})
