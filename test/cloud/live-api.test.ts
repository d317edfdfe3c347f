// The provider's API against the emulator, and against servers that answer oddly.
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterEach, describe, expect, test } from 'vitest'
import { systemClock } from '../../src/app/system-clock.ts'
import { createLiveApi } from '../../src/cloud/live-api.ts'
import { startEmulator } from '../../src/emulator/emulator.ts'

const DOMAIN = 'play.example.com'
const ACCESS_KEY = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
const REGISTRATION = {
  url: `https://hook.example.com/callbacks/${DOMAIN}`,
  auth: 'yes' as const,
  key: 'testkeyyourkey12',
}
const never = new AbortController().signal

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

function apiAt(endpoint: string) {
  const calls: string[] = []
  const api = createLiveApi({
    endpoint,
    credentials: { getCredentials: async () => ACCESS_KEY },
    clock: systemClock,
    onCall: (operation, outcome) =>
      calls.push(`${operation.replace('LiveSnapshotNotifyConfig', '')} ${outcome}`),
  })
  ends.push(() => api.close())
  return { api, calls }
}

async function emulated(switches = {}) {
  const emulator = await startEmulator({
    ...ACCESS_KEY,
    host: '127.0.0.1',
    port: 0,
    domains: [DOMAIN],
    streams: 0,
    intervalMs: 5_000,
    switches,
  })
  ends.push(() => emulator.stop())
  return { emulator, ...apiAt(emulator.url) }
}

async function served(listener: RequestListener) {
  const server = createServer(listener)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  ends.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return apiAt(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
}

const json = (body: object, status = 200) =>
  served((_, response) => {
    response.writeHead(status)
    response.end(JSON.stringify(body))
  })

describe('against the emulator', () => {
  test.each(['config_not_found', 'fields_absent', 'fields_empty'] as const)(
    'nothing configured is absent, answered as %s; then what is written is shown',
    async (describe_when_unset) => {
      const { api, calls, emulator } = await emulated({ describe_when_unset })
      expect(await api.describe(DOMAIN, never)).toEqual({ kind: 'absent' })
      await api.add(DOMAIN, REGISTRATION, never)
      const shown = { kind: 'present', url: REGISTRATION.url, auth: true, key: REGISTRATION.key }
      expect(await api.describe(DOMAIN, never)).toEqual(shown)
      await api.update(DOMAIN, { ...REGISTRATION, key: 'anotherkeyhere12' }, never)
      expect(await api.describe(DOMAIN, never)).toMatchObject({ key: 'anotherkeyhere12' })
      expect(calls.slice(1)).toEqual(['Add ok', 'Describe ok', 'Update ok', 'Describe ok'])
      expect(emulator.state().api).toMatchObject({ getRequests: 0, secretsInUrl: 0 })
    },
  )

  test('races are faults of their own', async () => {
    const { api } = await emulated()
    await expect(api.update(DOMAIN, REGISTRATION, never)).rejects.toMatchObject({
      code: 'api_config_not_found',
    })
    await api.add(DOMAIN, REGISTRATION, never)
    await expect(api.add(DOMAIN, REGISTRATION, never)).rejects.toMatchObject({
      code: 'api_config_exists',
    })
  })

  test('a key of digits alone comes back whole from a number', async () => {
    const { api } = await emulated({ key_shown: 'number' })
    const key = '98765432109876543210987654321098'
    await api.add(DOMAIN, { ...REGISTRATION, key }, never)
    expect(await api.describe(DOMAIN, never)).toMatchObject({ key })
  })
})

describe('odd answers', () => {
  test.each([
    ['yes', true],
    ['YES', true],
    [true, true],
    ['on', true],
    ['no', false],
    ['', false],
    [undefined, false],
  ])('NotifyReqAuth %s', async (NotifyReqAuth, auth) => {
    const { api } = await json({ RequestId: 'r', NotifyUrl: 'http://x/', NotifyReqAuth })
    expect(await api.describe(DOMAIN, never)).toEqual({
      kind: 'present',
      url: 'http://x/',
      auth,
      key: null,
    })
  })

  test.each([
    ['short digits', 1234, '1234'],
    ['a boolean', true, null],
    ['an empty text', '', null],
  ])('NotifyAuthKey as %s', async (_, NotifyAuthKey, key) => {
    const { api } = await json({ RequestId: 'r', NotifyUrl: 'http://x/', NotifyAuthKey })
    expect(await api.describe(DOMAIN, never)).toMatchObject({ key })
  })

  test.each<[string, object, number, string]>([
    ['200 with {}', {}, 200, 'api_unavailable'],
    ['500 without a code', { Message: 'x' }, 500, 'api_unavailable'],
    [
      'a code that pop-core takes for success, without RequestId',
      { Code: 'OK' },
      200,
      'api_refused',
    ],
    ['403 with a code', { Code: 'Forbidden.RAM', RequestId: 'r' }, 403, 'api_denied'],
  ])('%s', async (_, body, status, code) => {
    const { api, calls } = await json(body, status)
    await expect(api.describe(DOMAIN, never)).rejects.toMatchObject({ code })
    expect(calls).toEqual([`Describe ${code.slice(4)}`])
  })

  test('a page of a gateway', async () => {
    const { api } = await served((_, response) => response.end('<html>502</html>'))
    await expect(api.describe(DOMAIN, never)).rejects.toMatchObject({ code: 'api_unavailable' })
  })

  test('a call under way ends with the signal, and is not counted', async () => {
    const asked = Promise.withResolvers<void>()
    const { api, calls } = await served(() => asked.resolve())
    const stop = new AbortController()
    const call = api.describe(DOMAIN, stop.signal)
    await asked.promise
    stop.abort()
    await expect(call).rejects.toMatchObject({ code: 'aborted' })
    expect(calls).toEqual([])
  })
})

describe('credentials that the provider says have expired', () => {
  async function tokens(accepted: string) {
    let held = 'old'
    let renewals = 0
    const server = createServer(async (request, response) => {
      const params = new URLSearchParams(await text(request))
      const isGood = params.get('SecurityToken') === accepted
      response.statusCode = isGood ? 200 : 403
      const refused = { Code: 'InvalidSecurityToken.Expired', Message: 'expired' }
      response.end(JSON.stringify({ RequestId: 'r', ...(isGood ? {} : refused) }))
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    ends.push(() => server.close())
    const calls: string[] = []
    const api = createLiveApi({
      endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      credentials: {
        getCredentials: async () => ({ ...ACCESS_KEY, securityToken: held }),
        renew() {
          held = 'new'
          renewals += 1
        },
      },
      clock: systemClock,
      onCall: (_, outcome) => calls.push(outcome),
    })
    ends.push(() => api.close())
    return { api, calls, renewals: () => renewals }
  }

  test('are asked for anew at once, by several calls once, and then used', async () => {
    const { api, calls, renewals } = await tokens('new')
    const found = await Promise.all([api.describe(DOMAIN, never), api.describe(DOMAIN, never)])
    expect(found).toEqual([{ kind: 'absent' }, { kind: 'absent' }])
    expect(renewals()).toBe(1)
    expect(calls.filter((outcome) => outcome === 'ok')).toHaveLength(2)
  })

  test('are asked for once, where that is of no use', async () => {
    const { api, calls, renewals } = await tokens('another')
    await expect(api.describe(DOMAIN, never)).rejects.toMatchObject({ code: 'api_signature' })
    expect([calls, renewals()]).toEqual([['signature', 'signature'], 1])
  })
})

describe('the snapshot configurations of a domain', () => {
  test.each([
    ['without the number of pages', {}, 1],
    ['with a number that is none', { TotalPage: 'many' }, 1],
    ['of three pages', { TotalPage: 3 }, 3],
  ])('%s: no page is asked for that is not there', async (_, more, pages) => {
    let asked = 0
    const list = { LiveStreamSnapshotConfig: [{ AppName: 'live' }] }
    const { api } = await served((_, response) => {
      asked += 1
      response.end(JSON.stringify({ RequestId: 'r', LiveStreamSnapshotConfigList: list, ...more }))
    })
    expect(await api.snapshotConfigs(DOMAIN, never)).toHaveLength(pages)
    expect(asked).toBe(pages)
  })
})
