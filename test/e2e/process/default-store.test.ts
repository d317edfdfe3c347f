// SQLite is the default, and whoever keeps to it pays nothing for the other kind of store; who doesn't ask
// the API, nothing for that.
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { sendCallback } from '../../support/service/signed-callback.ts'
import { keyOf, setStage, settled } from '../../support/service/stage.ts'
import { onEachStore } from '../../support/store/each-store.ts'
import { until } from '../../support/until.ts'

const HOOK = fileURLToPath(new URL('../../support/service/note-modules.ts', import.meta.url))

const readNoted = (path: string) => (existsSync(path) ? readFileSync(path, 'utf8') : '')

onEachStore((own, kind) => {
  test('the client of PostgreSQL is loaded only where the setting asks for it, and the API when it is asked', async () => {
    await using stage = await setStage({}, own())
    const noted = `${stage.folder}/modules`
    const noting = { NOTED_MODULES: noted, NODE_OPTIONS: `--import ${HOOK}` }
    const service = await stage.serve(noting)
    await settled(service)
    expect((await sendCallback(stage.callbackUrl(), { key: keyOf(0) })).status).toBe(200)
    await until('the event', () => service.events().length === 1)
    for (const command of ['status', 'events', 'doctor']) await stage.finish([command], noting)
    const modules = readNoted(noted)
    expect(modules).not.toContain('/zod/')
    expect((await fetch(`${service.ops}/v1/streams`)).status).toBe(200)
    expect(readNoted(noted)).toContain('/zod/')
    service.kill('SIGTERM')
    expect(await service.ended).toBe(0)
    if (kind === 'sqlite') expect(modules).toBe('')
    else expect(modules).toMatch(/\/node_modules\/pg\/.*\n(.*\n)*.*\/store\/postgres\//)
  })
})
