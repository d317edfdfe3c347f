// What every replica notes of its own, also while another one audits.
import { expect, test } from 'vitest'
import { createTaking } from '../../../src/flows/audit/taking.ts'
import { keptLog } from '../../support/flows/flow-fakes.ts'
import { manualClock } from '../../support/flows/manual-clock.ts'

const DOMAIN = 'play.example.com'
const NOTED_WITHIN_MS = 10_000

function setUp() {
  const clock = manualClock()
  const told: string[] = []
  let isDown = false
  const tell = async (what: string) => {
    if (isDown) throw new TypeError('the store is away')
    told.push(what)
  }
  const taking = createTaking({
    domains: [DOMAIN],
    store: {
      beginTaking: () => tell('begun'),
      noteTaking: () => tell('taking'),
      noteNotTaking: (domain) => tell(`not taking ${domain}`),
    },
    clock,
    log: keptLog(),
  })
  return { clock, told, taking, fail: (is: boolean) => (isDown = is) }
}

test('beside another replica it tells what was turned away here, once, and not that it audits', async () => {
  const { clock, told, taking, fail } = setUp()
  const stop = new AbortController()
  const running = taking.runBeside(stop.signal)
  taking.turnedAway(DOMAIN)
  fail(true)
  await clock.advance(NOTED_WITHIN_MS)
  fail(false)
  expect(told).toEqual([])
  await clock.advance(3 * NOTED_WITHIN_MS)
  expect(told).toEqual([`not taking ${DOMAIN}`])
  stop.abort()
  await running
})

test('as the one that audits it tells each thing once, although it runs beside as well', async () => {
  const { clock, told, taking } = setUp()
  const stop = new AbortController()
  const running = [taking.run(stop.signal), taking.runBeside(stop.signal)]
  taking.turnedAway(DOMAIN)
  await clock.advance(NOTED_WITHIN_MS)
  expect(told).toEqual([`not taking ${DOMAIN}`, 'taking'])
  stop.abort()
  await Promise.all(running)
})
