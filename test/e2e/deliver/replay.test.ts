// A replay that is asked for beside a running service, with the real command.
import { expect, test } from 'vitest'
import { serveHere } from '../../support/service/service-here.ts'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { keyOf, setStage, settled } from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

onEachStore((own) => {
  test('what was handed on is handed on again, marked as such', async () => {
    await using stage = await setStage({}, own())
    await using service = await serveHere(stage)
    await settled(service)
    for (const StreamName of ['door', 'gate', 'door']) {
      const body = JSON.stringify({ AppName: 'live', StreamName, n: Math.random() })
      expect((await sendCallback(stage.callbackUrl(), { key: keyOf(0), body })).status).toBe(200)
    }
    await until('the events', () => service.events().length === 3)
    const asked = await stage.finish(['replay', '--sink', 'stdout', '--stream', 'live/door'])
    expect(asked).toMatchObject({ code: 0, stdout: expect.stringContaining('replay 1') })
    await until('the replay', () => service.events().length === 5)
    const events = service.events()
    const [first, , third, ...again] = events
    expect(again).toEqual([first, third].map((event) => ({ ...event, replay: 1 })))
    const status = async () => (await stage.finish(['status', '--json'])).stdout
    await until('its end', async () => JSON.parse(await status()).store.replays[0].state === 'done')
    expect(JSON.parse(await status()).store.replays).toMatchObject([{ delivered: 2, left: 0 }])
  })
})
