// Our signed URLs against the emulator's bucket, which verifies them by itself.
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { presign } from '../../../src/cloud/pictures/presign.ts'
import { DOMAIN, emulate } from '../support.ts'

const KEY = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }
const NAME = { domain: DOMAIN, app: 'live', stream: 'signed' }

async function shotUrl(
  emulator: Awaited<ReturnType<typeof emulate>>,
  changes = {},
  credentials = KEY,
) {
  emulator.startPush(NAME, 60_000)
  const [shot] = emulator.shoot(NAME) ?? []
  const { bucket = '', object = '' } = shot ?? {}
  const url = presign(
    {
      method: 'GET',
      host: `${bucket}.oss-cn-shanghai.aliyuncs.com`,
      bucket,
      region: 'cn-shanghai',
      object,
      query: { 'x-oss-process': 'image/resize,w_480', 'snaphook-seq': '1' },
      signedAt: Date.now(),
      expiresSeconds: 600,
      ...changes,
    },
    credentials,
  )
  return { url, bucket, object }
}

/** Asks the emulator as a resolver that leads the bucket's host to it would. */
function statusOf(base: string, url: string): Promise<number | undefined> {
  const { hostname, port } = new URL(base)
  const { host, pathname, search } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<number | undefined>()
  const asked = request({ host: hostname, port, path: pathname + search, headers: { host } })
  asked.on('response', (response) => {
    response.resume()
    resolve(response.statusCode)
  })
  asked.on('error', reject)
  asked.end()
  return promise
}

test('a picture goes to a URL that the access key signed', async () => {
  await using emulator = await emulate()
  const { url } = await shotUrl(emulator)
  expect(await statusOf(emulator.url, url)).toBe(200)
})

test.each<[string, (url: string) => string]>([
  ['nothing signed', (url) => url.slice(0, url.indexOf('?'))],
  ['another width', (url) => url.replace('w_480', 'w_9999').replace('w%5F480', 'w_9999')],
  ['a parameter more', (url) => `${url}&a=b`],
  ['another object', (url) => url.replace('signed', 'other')],
  ['a signature cut short', (url) => url.slice(0, -2)],
])('and not to %s', async (_, change) => {
  await using emulator = await emulate()
  const { url } = await shotUrl(emulator)
  expect(change(url)).not.toBe(url)
  expect(await statusOf(emulator.url, change(url))).toBe(403)
})

test('nor to one that has ended, or that another key signed', async () => {
  await using emulator = await emulate()
  const ended = await shotUrl(emulator, { signedAt: Date.now() - 601_000 })
  expect(await statusOf(emulator.url, ended.url)).toBe(403)
  const foreign = await shotUrl(emulator, {}, { ...KEY, accessKeySecret: 'another' })
  expect(await statusOf(emulator.url, foreign.url)).toBe(403)
})

test.each<[string, object, Partial<typeof KEY>]>([
  ['is ahead of its clock', { signedAt: Date.now() + 3_600_000 }, {}],
  ['lasts longer than a week', { expiresSeconds: 7 * 86_400 + 1 }, {}],
  ['lasts no time at all', { expiresSeconds: 0 }, {}],
  ['an unknown access key signed', {}, { accessKeyId: 'unknown' }],
])('nor to one that %s', async (_, changes, credentials) => {
  await using emulator = await emulate()
  const { url } = await shotUrl(emulator, changes, { ...KEY, ...credentials })
  expect(await statusOf(emulator.url, url)).toBe(403)
})

test('an open bucket hands out what it has', async () => {
  await using emulator = await emulate({ openBucket: true })
  const { bucket, object } = await shotUrl(emulator)
  expect((await fetch(`${emulator.url}/buckets/${bucket}/${object}`)).status).toBe(200)
  const whole = encodeURIComponent(object)
  expect((await fetch(`${emulator.url}/buckets/${bucket}/${whole}`)).status).toBe(200)
  expect((await fetch(`${emulator.url}/buckets/${bucket}/nothing`)).status).toBe(404)
})
