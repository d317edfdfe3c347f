// Each fault of the provider, on each call of the audit: what may pass is tried again and nothing is
// missed for it; what waits for a person is said, with what to do.
import { describe, expect, test } from 'vitest'
import { FAULT_KINDS, type FaultKind } from '../../../src/emulator/emulator.ts'
import { serveHere } from '../../support/service/service-here.ts'
import { DOMAIN, readiness, setStage, settled } from '../../support/service/stage.ts'
import { shiftedClock } from '../../support/shifted-clock.ts'
import { until } from '../../support/until.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }
const OPERATIONS = ['DescribeLiveStreamsPublishList', 'DescribeLiveStreamSnapshotInfo']
const SHOTS = 24
const MARGIN_MS = 60_000

const FINAL: Partial<Record<FaultKind, { state: string; detail: RegExp }>> = {
  forbidden: { state: 'not_permitted', detail: /deploy\/ram-policy-audit\.json/ },
  signature_mismatch: { state: 'failing', detail: /access key/ },
  unknown_domain: { state: 'failing', detail: /SNAPHOOK_DOMAINS/ },
  clock_refused: { state: 'failing', detail: /clock/ },
}

describe.concurrent.each(OPERATIONS)('%s', (operation) => {
  test.each(Object.keys(FAULT_KINDS) as FaultKind[])('%s', async (fault) => {
    const clock = shiftedClock()
    await using stage = await setStage({ now: clock.now })
    const audit = { marginMs: MARGIN_MS, firstAfterMs: 0 }
    await using service = await serveHere(
      stage,
      { SNAPHOOK_AUDIT_INTERVAL: '1s' },
      { clock, audit },
    )
    await settled(service)
    stage.emulator.startPush(STREAM)
    for (let n = 1; n <= SHOTS; n += 1) {
      clock.shift(5_000)
      stage.emulator.setSwitches({ lose_callbacks: n === 10 ? 1 : 0 })
      stage.emulator.shoot(STREAM)
      await until('the callback to be through', () => stage.emulator.inFlight() === 0)
    }
    stage.emulator.setFaults([{ operation, fault, times: 1 }])
    clock.shift(MARGIN_MS + 30_000)
    const view = async () => (await readiness(service)).audits[0]
    const final = FINAL[fault]
    if (final !== undefined) {
      const said = await until('it to be said', async () => {
        const now = await view()
        return now?.state === final.state && now
      })
      expect(said.detail).toMatch(final.detail)
      return
    }
    await until('what was lost', () => service.events().length === SHOTS)
    expect(service.events().filter(({ data }) => data.origin === 'audit')).toHaveLength(1)
    expect((await view())?.state).toBe('ok')
  })
})
