// Whether `doctor` sees that a bucket can be read: against the emulator's bucket, which verifies what
// we sign.
import { request } from 'node:http'
import { expect, test } from 'vitest'
import { checkPictures } from '../../../src/admin/doctor/pictures.ts'
import { createPictures } from '../../../src/cloud/pictures/pictures.ts'
import type { ImageSource } from '../../../src/core/events/picture.ts'
import type { StoredEvent } from '../../../src/core/events/snapshot-event.ts'
import { emulate } from '../../emulator/support.ts'
import { shotOf } from '../../support/service/api-here.ts'

const DOMAIN = 'play.example.com'
const NAME = { domain: DOMAIN, app: 'live', stream: 'looked-at' }
const KEY = { accessKeyId: 'testid', accessKeySecret: 'testsecret' }

type Options = { key?: typeof KEY; object?: string; isKnown?: boolean; images?: ImageSource }

async function examine(options: Options = {}) {
  const { key = KEY, isKnown = true } = options
  await using emulator = await emulate()
  emulator.startPush(NAME, 60_000)
  const [shot] = emulator.shoot(NAME) ?? []
  const { bucket = '', object = '' } = shot ?? {}
  const { images = { kind: 'oss', buckets: [bucket] } as const } = options
  const fields = { OssBucket: bucket, OssEndpoint: 'oss-cn-shanghai.aliyuncs.com' }
  const event = { ...shotOf({ ...fields, OssObject: options.object ?? object }), seq: 1 }
  const pictures = createPictures({
    source: images,
    credentials: { getCredentials: async () => key },
    now: Date.now,
  })
  return await checkPictures(images, {
    pictures,
    latestIn: async () => (isKnown ? (event as StoredEvent) : null),
    fetch: (url) => viaEmulator(emulator.url, String(url)),
    signal: new AbortController().signal,
  })
}

/** As fetch would with a resolver that leads the bucket's host to the emulator. */
function viaEmulator(base: string, url: string): Promise<Response> {
  const { hostname, port } = new URL(base)
  const { host, pathname, search } = new URL(url)
  const { promise, resolve, reject } = Promise.withResolvers<Response>()
  const asked = request({ host: hostname, port, path: pathname + search, headers: { host } })
  asked.on('response', (response) => {
    response.resume()
    resolve(new Response(null, { status: response.statusCode ?? 0 }))
  })
  asked.on('error', reject)
  asked.end()
  return promise
}

test('a bucket that can be read is ok, also where its latest picture is gone', async () => {
  expect(await examine()).toMatchObject([{ result: 'ok', detail: 'its pictures can be read' }])
  expect(await examine({ object: 'gone.jpg' })).toMatchObject([{ result: 'ok' }])
})

test('one that may not be read says which policy to attach, and shows no URL', async () => {
  const found = await examine({ key: { ...KEY, accessKeySecret: 'wrong' } })
  expect(found).toMatchObject([
    {
      check: 'pictures',
      result: 'problem',
      next: expect.stringContaining('ram-policy-images.json'),
    },
  ])
  expect(JSON.stringify(found)).not.toContain('x-oss-')
})

test('nothing is asked where no event has named a picture, or none are signed for', async () => {
  expect(await examine({ isKnown: false })).toMatchObject([{ result: 'not_checked' }])
  expect(await examine({ images: { kind: 'off' } })).toEqual([])
  expect(
    await examine({ images: { kind: 'template', template: 'https://c.example.com/{object}' } }),
  ).toEqual([])
})
