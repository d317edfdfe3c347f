import { describe, expect, test } from 'vitest'
import {
  type ImageSource,
  locatePicture,
  pictureOrigins,
  readImageSource,
} from '../../../src/core/events/picture.ts'

const OSS: ImageSource = { kind: 'oss', buckets: ['my-bucket', 'other'] }
const BODY = {
  bucket: 'my-bucket',
  endpoint: 'oss-cn-shanghai.aliyuncs.com',
  object: 'live/s/1.jpg',
}
const template = (text: string): ImageSource => ({ kind: 'template', template: text })
const locate = (source: ImageSource, body = {}, width: number | null = 480) =>
  locatePicture(source, { ...BODY, ...body }, { seq: 7, width })

describe('an object to sign for', () => {
  test('has the public host of its bucket, the width, and the seq that no cache ignores', () => {
    expect(locate(OSS)).toEqual({
      kind: 'object',
      bucket: 'my-bucket',
      region: 'cn-shanghai',
      host: 'my-bucket.oss-cn-shanghai.aliyuncs.com',
      object: 'live/s/1.jpg',
      query: { 'snaphook-seq': '7', 'x-oss-process': 'image/resize,w_480' },
    })
    expect(locate(OSS, {}, null)).toMatchObject({ query: { 'snaphook-seq': '7' } })
  })

  test.each([
    ['oss-cn-shanghai-internal.aliyuncs.com', 'my-bucket.oss-cn-shanghai.aliyuncs.com'],
    ['oss-ap-southeast-1-internal.aliyuncs.com', 'my-bucket.oss-ap-southeast-1.aliyuncs.com'],
    ['oss-cn-wuhan-lr.aliyuncs.com', 'my-bucket.oss-cn-wuhan-lr.aliyuncs.com'],
  ])('%s', (endpoint, host) => {
    expect(locate(OSS, { endpoint })).toMatchObject({ kind: 'object', host })
  })
})

describe('what is refused, and which rule it is', () => {
  const endpoints = [
    null,
    '',
    'evil.example.com',
    'oss-cn-shanghai.aliyuncs.com.evil.example.com',
    'evil.example.com/oss-cn-shanghai.aliyuncs.com',
    'https://oss-cn-shanghai.aliyuncs.com',
    'oss-cn-shanghai.aliyuncs.com:8080',
    'oss-accelerate.aliyuncs.com',
    'oss-CN-shanghai.aliyuncs.com',
    'oss-cn-shanghai.aliyuncs.com\n',
    'oss-.aliyuncs.com',
    '127.0.0.1',
  ]
  test.each(endpoints)('the endpoint %j', (endpoint) => {
    expect(locate(OSS, { endpoint })).toMatchObject({ code: 'endpoint_not_allowed' })
  })

  const objects = [
    'a\nb',
    'a\u0000b',
    'a\u007fb',
    'a\u0085b',
    'a\ud800b',
    '/a',
    '\\a',
    '..',
    '../x',
    'a/../b',
    'a/./b',
    'a/..',
    'x'.repeat(1_024),
    'é'.repeat(512),
  ]
  test.each(objects)('the object %j', (object) => {
    expect(locate(OSS, { object })).toMatchObject({ code: 'object_not_allowed' })
    expect(locate(template('https://c.example.com/{object}'), { object })).toMatchObject({
      code: 'object_not_allowed',
    })
  })

  test.each(['mine', 'MY-BUCKET', 'my-bucket.evil.example.com', 'my-bucket/../other'])(
    'the bucket %j',
    (bucket) => {
      expect(locate(OSS, { bucket })).toMatchObject({ code: 'bucket_not_listed' })
    },
  )

  test('a body that names nothing, and pictures that are off', () => {
    expect(locate(OSS, { bucket: null })).toMatchObject({ code: 'no_picture' })
    expect(locate(OSS, { object: null })).toMatchObject({ code: 'no_picture' })
    expect(locate({ kind: 'off' })).toMatchObject({ code: 'images_off' })
  })
})

describe('a template', () => {
  test('is filled, each value percent-encoded', () => {
    const source = template(
      'https://c.example.com/{bucket}/{endpoint}/{object}?w={width}&o={object}',
    )
    expect(locate(source, { object: 'a b/ü?&#.jpg' })).toEqual({
      kind: 'url',
      url: 'https://c.example.com/my-bucket/oss-cn-shanghai.aliyuncs.com/a%20b%2F%C3%BC%3F%26%23.jpg?w=480&o=a%20b%2F%C3%BC%3F%26%23.jpg',
    })
  })

  test('has a width of its own where none is asked for, and does without an endpoint', () => {
    const source = template('https://c.example.com/{object}?w={width}')
    expect(locate(source, { endpoint: null }, null)).toMatchObject({
      url: expect.stringMatching(/\?w=\d+$/),
    })
  })

  test('takes no bucket that can be none', () => {
    const source = template('https://c.example.com/{bucket}/{object}')
    expect(locate(source, { bucket: '../x' })).toMatchObject({ code: 'bucket_not_listed' })
  })

  test('may have text of any language around its values', () => {
    expect(locate(template('https://c.example.com/截图/{object}'))).toMatchObject({
      url: expect.stringMatching(/^https:\/\/c\.example\.com\/%E6%88%AA%E5%9B%BE\/[ -~]+$/),
    })
  })

  test('needs no endpoint that it does not name', () => {
    const endpoint = '127.0.0.1:8081'
    expect(locate(template('https://c.example.com/{object}'), { endpoint })).toMatchObject({
      kind: 'url',
    })
    expect(
      locate(template('https://c.example.com/{endpoint}/{object}'), { endpoint }),
    ).toMatchObject({ code: 'endpoint_not_allowed' })
  })
})

describe('the setting', () => {
  test.each([
    ['off', { kind: 'off' }],
    ['oss:one-bucket', { kind: 'oss', buckets: ['one-bucket'] }],
    ['oss:abc, def,abc', { kind: 'oss', buckets: ['abc', 'def'] }],
    ['https://c.example.com/{object}', template('https://c.example.com/{object}')],
  ])('%s', (text, source) => {
    expect(readImageSource(text)).toEqual(source)
  })

  test.each([
    'on',
    'oss:',
    'oss:My_Bucket',
    'oss:a,,b',
    'ftp://c.example.com/{object}',
    'https://{bucket}.example.com/{object}',
    'https:///{bucket}/{object}',
    'https:/\t/{bucket}/{object}',
    'https://u:p@c.example.com/{object}',
    'https://c.example.com/{objekt}',
    'https://c.example.com/{object',
    'https://c.example.com/x.jpg',
  ])('%s is a problem', (text) => {
    expect(readImageSource(text)).toEqual(expect.any(String))
  })
})

describe('the origins that pictures can come from', () => {
  test('none, that of a template, or the buckets where events have seen them', () => {
    expect(pictureOrigins({ kind: 'off' }, [])).toEqual([])
    expect(pictureOrigins(template('http://127.0.0.1:81/{bucket}/{object}'), [])).toEqual([
      'http://127.0.0.1:81',
    ])
    const seen = [
      { bucket: 'my-bucket', endpoint: 'oss-cn-shanghai-internal.aliyuncs.com' },
      { bucket: 'my-bucket', endpoint: 'oss-cn-shanghai.aliyuncs.com' },
      { bucket: 'my-bucket', endpoint: 'evil.example.com' },
      { bucket: 'not-listed', endpoint: 'oss-cn-beijing.aliyuncs.com' },
    ]
    expect(pictureOrigins({ kind: 'oss', buckets: ['my-bucket'] }, seen)).toEqual([
      'https://my-bucket.oss-cn-shanghai.aliyuncs.com',
    ])
  })

  test('any region of a bucket that no event has named', () => {
    const origins = pictureOrigins({ kind: 'oss', buckets: ['my-bucket'] }, [])
    expect(origins).toContain('https://my-bucket.oss-eu-central-1.aliyuncs.com')
    expect(
      origins.every((origin) =>
        /^https:\/\/my-bucket\.oss-[a-z0-9-]+\.aliyuncs\.com$/.test(origin),
      ),
    ).toBe(true)
  })

  const buckets = Array.from({ length: 200 }, (_, n) => `bucket-${n}`)
  const bytesOf = (origins: string[]) => Buffer.byteLength(origins.join(' '))

  test('of very many buckets the regions alone, so that they fit a header', () => {
    const seen = buckets.map((bucket, n) => ({
      bucket,
      endpoint: `oss-cn-${n % 2 ? 'beijing' : 'shanghai'}.aliyuncs.com`,
    }))
    expect(pictureOrigins({ kind: 'oss', buckets }, seen)).toEqual([
      'https://*.oss-cn-shanghai.aliyuncs.com',
      'https://*.oss-cn-beijing.aliyuncs.com',
    ])
    const some = pictureOrigins({ kind: 'oss', buckets: buckets.slice(0, 20) }, seen)
    expect(some).toContain('https://bucket-19.oss-cn-beijing.aliyuncs.com')
    const unseen = pictureOrigins({ kind: 'oss', buckets }, [])
    expect(unseen).toContain('https://*.oss-eu-central-1.aliyuncs.com')
    expect(bytesOf(unseen)).toBeLessThan(3_000)
  })

  test('no bodies that make regions up make them many', () => {
    const seen = Array.from({ length: 1_000 }, (_, n) => ({
      bucket: 'bucket-1',
      endpoint: `oss-cn-made-up-${n}.aliyuncs.com`,
    }))
    const origins = pictureOrigins({ kind: 'oss', buckets }, seen)
    expect(origins).not.toContain('https://*.oss-cn-made-up-1.aliyuncs.com')
    expect(origins).toContain('https://*.oss-cn-shanghai.aliyuncs.com')
    expect(bytesOf(origins)).toBeLessThan(3_000)
  })
})
