import { expect, test } from 'vitest'
import type { Probed, ProbeResult } from '../../src/core/probe.ts'
import { probeAfterStart } from '../../src/flows/reachability.ts'
import { keptLog } from '../support/flows/flow-fakes.ts'
import { manualClock } from '../support/flows/manual-clock.ts'

const REACHED: Probed = { result: 'reached', detail: null }
const UNANSWERED: Probed = { result: 'no_answer', detail: 'answered 502' }

function probing(results: readonly Probed[]) {
  const clock = manualClock()
  const log = keptLog()
  const stopping = new AbortController()
  const measured: ProbeResult[] = []
  let sent = 0
  const done = probeAfterStart({
    publicUrl: 'https://hook.example.com/hush',
    send: async () => results[sent++] ?? UNANSWERED,
    clock,
    metrics: { probed: (result) => measured.push(result) },
    log,
    signal: stopping.signal,
  })
  return { clock, log, measured, stopping, done, sent: () => sent }
}

test('one probe is enough where it arrives, and nothing is said', async () => {
  const { clock, log, measured, done } = probing([REACHED])
  await clock.advance(1_000)
  await done
  expect(measured).toEqual(['reached'])
  expect(log.story()).toEqual([])
})

test('an ingress that takes a while is given a minute', async () => {
  const { clock, log, measured, done } = probing([UNANSWERED, UNANSWERED, UNANSWERED, REACHED])
  await clock.advance(30_000)
  await done
  expect(measured).toEqual(['no_answer', 'no_answer', 'no_answer', 'reached'])
  expect(log.story()).toEqual([])
})

test('not reached within a minute: one warning with the reason, then seldom, until it is', async () => {
  const { clock, log, measured, done, sent } = probing([...Array(7).fill(UNANSWERED), REACHED])
  await clock.advance(59_999)
  expect(log.story()).toEqual([])
  await clock.advance(1)
  expect(measured.at(-1)).toBe('no_answer')
  expect(log.lines).toMatchObject([
    { level: 'warn', fields: { reason: 'answered 502', publicUrl: 'https://hook.example.com/…' } },
  ])
  await clock.advance(3_600_000)
  await done
  expect(sent()).toBe(8)
  expect(measured.at(-1)).toBe('reached')
  expect(log.story()).toEqual([expect.any(String), 'reached through the public URL'])
})

test('a stop ends it without a word', async () => {
  const { clock, log, stopping, done } = probing([])
  await clock.advance(10_000)
  stopping.abort()
  await done
  expect(log.story()).toEqual([])
})
