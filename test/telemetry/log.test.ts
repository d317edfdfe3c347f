import { expect, test } from 'vitest'
import { createLog } from '../../src/telemetry/log.ts'

function fixture(level: Parameters<typeof createLog>[0]) {
  const lines: Record<string, unknown>[] = []
  const log = createLog(level, { write: (line) => lines.push(JSON.parse(line)) })
  return { log, lines }
}

test('lines are JSON with level, time, message and fields', () => {
  const { log, lines } = fixture('info')
  log.debug('unseen')
  log.info('a', { domain: 'x' })
  log.warn('b')
  log.error('c')
  expect(lines).toMatchObject([
    { level: 'info', msg: 'a', domain: 'x' },
    { level: 'warn', msg: 'b' },
    { level: 'error', msg: 'c' },
  ])
  expect(lines[0]?.time).toMatch(/^\d{4}-\d\d-\d\dT/)
})

test('what is named like a secret is not written, whoever passes it', () => {
  const { log, lines } = fixture('debug')
  log.debug('x', { key: 'hush', nested: { secret: 'hush', token: 'hush' }, authorization: 'hush' })
  expect(JSON.stringify(lines)).not.toContain('hush')
})
