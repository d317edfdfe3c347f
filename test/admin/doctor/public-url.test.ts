import { expect, test } from 'vitest'
import { checkPublicUrl } from '../../../src/admin/doctor/public-url.ts'

const signal = new AbortController().signal
const reached = async () => ({ result: 'reached', detail: null }) as const

const find = (url: string, probe: Parameters<typeof checkPublicUrl>[1]['probe'] = reached) =>
  checkPublicUrl(url, { probe, now: 0, signal })

test.each([
  '127.0.0.1',
  '10.1.2.3',
  '172.31.0.1',
  '192.168.7.7',
  '100.64.0.1',
  '[::1]',
  '[fd00::1]',
])('http://%s is not on the internet, and plain', async (host) => {
  const [name, plain, probed] = await find(`http://${host}:8080/hook`)
  expect(name).toMatchObject({ result: 'warning', detail: expect.stringContaining("can't reach") })
  expect(plain).toMatchObject({ result: 'warning', detail: expect.stringContaining('plain http') })
  expect(probed).toMatchObject({ result: 'ok', subject: `http://${host}:8080/hook` })
})

test.each(['203.0.113.7', '[2001:db8::1]'])('http://%s is taken for an address', async (host) => {
  expect((await find(`http://${host}`))[0]).toMatchObject({ result: 'ok' })
})

test('a name without an address is a problem', async () => {
  const [name] = await find('http://no-such-name.invalid')
  expect(name).toMatchObject({ result: 'problem', subject: 'no-such-name.invalid' })
})

test('a name without an address is one finding: all else waits for it', async () => {
  const noAnswer = async () => ({ result: 'no_answer', detail: 'ENOTFOUND' }) as const
  const found = await find('https://no-such-name.invalid/hook', noAnswer)
  expect(found.map(({ result, detail }) => [result, detail])).toEqual([
    ['problem', 'has no address'],
    ['not_checked', 'waits for the address'],
    ['not_checked', 'waits for the address'],
  ])
})

test('nothing that takes connections is one finding, of the probe', async () => {
  const noAnswer = async () => ({ result: 'no_answer', detail: 'ECONNREFUSED' }) as const
  const [, certificate, probed] = await find('https://127.0.0.1:9/hook', noAnswer)
  expect(certificate).toMatchObject({
    result: 'not_checked',
    detail: expect.stringContaining('waits for a connection'),
  })
  expect(probed).toMatchObject({ result: 'warning' })
})

test.each(['mismatch', 'no_answer'] as const)('a probe with %s is a warning', async (result) => {
  const found = await find('http://127.0.0.1', async () => ({ result, detail: 'answered 502' }))
  expect(found.at(-1)).toMatchObject({ result: 'warning' })
  expect(found.at(-1)?.detail).toContain('answered 502')
})
