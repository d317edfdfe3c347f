import { Validator } from '@seriousme/openapi-schema-validator'
import { describe, expect, test } from 'vitest'
import type { ImageSource } from '../../../src/core/events/picture.ts'
import {
  type ApiHere,
  createAnswerCheck,
  DOMAIN,
  serveApi,
  shotOf,
} from '../../support/service/api-here.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')

async function filled(count = 5) {
  const api = await serveApi({ now: () => NOW })
  for (let n = 1; n <= count; n++) {
    const receivedAt = NOW - (count - n) * 60_000
    const stream = n % 2 === 0 ? 'even' : 'odd'
    const fields = { AppName: 'live', StreamName: stream, OssObject: `o/${n}.jpg` }
    await api.append(shotOf({ ...fields, CreateTimestamp: receivedAt - 50 }, { receivedAt }))
  }
  return api
}

async function jsonOf(api: ApiHere, path: string) {
  const response = await api.get(path)
  // biome-ignore lint/suspicious/noExplicitAny: held against the document by a test of its own
  const body = (await response.json()) as any
  return { status: response.status, headers: response.headers, body }
}

const seqs = (body: { events: { data: { seq: number } }[] }) =>
  body.events.map(({ data }) => data.seq)

describe('events', () => {
  test('are shown from the newest on, page by page, and new ones shift nothing', async () => {
    await using api = await filled()
    const first = await jsonOf(api, '/v1/events?limit=2')
    expect(seqs(first.body)).toEqual([5, 4])
    await api.append(shotOf({ StreamName: 'new' }, { receivedAt: NOW }))
    const link = first.headers.get('link') ?? ''
    expect(link).toMatch(/^<\/v1\/events\?.*>; rel="next"$/)
    const second = await jsonOf(api, link.slice(1, link.indexOf('>')))
    expect(seqs(second.body)).toEqual([3, 2])
    const third = await jsonOf(api, `/v1/events?limit=2&after=${second.body.next}`)
    expect(seqs(third.body)).toEqual([1])
    expect(third.body.next).toBeNull()
    expect(third.headers.has('link')).toBe(false)
  })

  test('are shown from the oldest on', async () => {
    await using api = await filled()
    const first = await jsonOf(api, '/v1/events?limit=3&order=asc')
    expect(seqs(first.body)).toEqual([1, 2, 3])
    const rest = await jsonOf(api, `/v1/events?limit=3&order=asc&after=${first.body.next}`)
    expect(seqs(rest.body)).toEqual([4, 5])
  })

  test.each([
    ['stream=odd', [5, 3, 1]],
    ['app=live&stream=even', [4, 2]],
    ['app=other', []],
    [`domain=${DOMAIN.toUpperCase()}`, [5, 4, 3, 2, 1]],
    ['domain=other.example.com', []],
    ['since=2m', [5, 4, 3]],
    ['since=2026-03-01T11:58:00Z&until=2026-03-01T13:00:00%2B01:00', [4, 3]],
    ['flag=no_object', []],
    ['origin=callback', [5, 4, 3, 2, 1]],
    ['origin=audit', []],
  ])('%s narrows them', async (query, expected) => {
    await using api = await filled()
    const { status, body } = await jsonOf(api, `/v1/events?${query}`)
    expect(status).toBe(200)
    expect(seqs(body)).toEqual(expected)
  })

  test('are found by id, and a missing one says so', async () => {
    await using api = await filled()
    const [event] = (await jsonOf(api, '/v1/events?limit=1')).body.events
    expect((await jsonOf(api, `/v1/events/${event.id}`)).body).toEqual(event)
    for (const id of ['0'.repeat(64), 'x', '..%2f']) {
      expect(await jsonOf(api, `/v1/events/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'event_not_found' },
      })
    }
  })
})

describe('what is not right with a request', () => {
  test.each([
    ['/v1/events?limt=5', ['limt']],
    ['/v1/events?limit=0', ['limit']],
    ['/v1/events?limit=1001', ['limit']],
    ['/v1/events?limit=1e1', ['limit']],
    ['/v1/events?limit=', ['limit']],
    ['/v1/events?limit=1&limit=2', ['limit']],
    ['/v1/events?order=up', ['order']],
    ['/v1/events?since=yesterday', ['since']],
    ['/v1/events?since=2026-02-30T00:00:00Z', ['since']],
    ['/v1/events?since=2026-02-01', ['since']],
    ['/v1/events?since=1h&until=2h', ['until']],
    ['/v1/events?after=nonsense', ['after']],
    ['/v1/events?stream=', ['stream']],
    ['/v1/events?domain=%00', ['domain']],
    ['/v1/streams?q=%00', ['q']],
    ['/v1/events?flag=odd', ['flag']],
    ['/v1/events?origin=elsewhere', ['origin']],
    ['/v1/events?a=1&order=up&limit=x', ['a', 'order', 'limit']],
    ['/v1/streams?state=dead', ['state']],
    ['/v1/streams?order=desc', ['order']],
    ['/v1/streams?after=WzEsIm5hbWUiLDFd', ['after']],
    ['/v1/events/stream?after=-1', ['after']],
    ['/v1/events/stream?limit=1', ['limit']],
    ['/v1/registrations?x=1', ['x']],
    ['/v1/openapi.json?x=1', ['x']],
  ])('%s is refused by name', async (path, names) => {
    await using api = await filled(1)
    const { status, headers, body } = await jsonOf(api, path)
    expect(status).toBe(400)
    expect(headers.get('content-type')).toBe('application/problem+json')
    const parameters = body.parameters.map(({ parameter }: { parameter: string }) => parameter)
    expect(parameters.toSorted()).toEqual(names.toSorted())
    for (const name of names) expect(body.detail).toContain(name)
  })

  test('a cursor of the other order is refused', async () => {
    await using api = await filled()
    const { next } = (await jsonOf(api, '/v1/events?limit=1')).body
    expect((await jsonOf(api, `/v1/events?limit=1&order=asc&after=${next}`)).status).toBe(400)
  })

  test('changing is not offered', async () => {
    await using api = await filled(1)
    const response = await api.get('/v1/events', { method: 'DELETE' })
    expect(response.status).toBe(405)
    expect(response.headers.get('allow')).toBe('GET, HEAD')
  })
})

describe('streams', () => {
  test('show the latest shot, the count, the pace and the state of each', async () => {
    await using api = await filled()
    const { body } = await jsonOf(api, '/v1/streams?order=name')
    expect(body.next).toBeNull()
    expect(body.streams).toMatchObject([
      { stream: 'even', events: 2, intervalSeconds: null, state: 'live', latest: { seq: 4 } },
      {
        domain: DOMAIN,
        app: 'live',
        stream: 'odd',
        events: 3,
        intervalSeconds: 120,
        state: 'live',
        firstSeenAt: '2026-03-01T11:56:00.000Z',
        latest: { seq: 5, object: 'o/5.jpg', capturedAt: '2026-03-01T11:59:59.950Z' },
      },
    ])
  })

  test.each([
    ['order=recent', ['odd', 'even']],
    ['order=stalest', ['even', 'odd']],
    ['q=LIVE/ev', ['even']],
    ['state=silent', []],
    ['app=other', []],
  ])('%s', async (query, expected) => {
    await using api = await filled()
    const { body } = await jsonOf(api, `/v1/streams?${query}`)
    expect(body.streams.map((each: { stream: string }) => each.stream)).toEqual(expected)
  })

  test.each(['name', 'recent', 'stalest'])('come page by page in the order %s', async (order) => {
    await using api = await filled()
    const all = (await jsonOf(api, `/v1/streams?order=${order}`)).body.streams
    const first = await jsonOf(api, `/v1/streams?order=${order}&limit=1`)
    const link = first.headers.get('link') ?? ''
    const second = await jsonOf(api, link.slice(1, link.indexOf('>')))
    expect([...first.body.streams, ...second.body.streams]).toEqual(all)
    expect(second.body.next).toBeNull()
  })
})

describe('the document', () => {
  test('is valid OpenAPI 3.1', async () => {
    await using api = await filled(1)
    const { body } = await jsonOf(api, '/v1/openapi.json')
    const validator = new Validator()
    expect(await validator.validate(body)).toEqual({ valid: true })
    expect(validator.version).toBe('3.1')
  })

  test('describes what is answered', async () => {
    await using api = await filled()
    await api.append(shotOf({}, { receivedAt: NOW }))
    const check = createAnswerCheck((await jsonOf(api, '/v1/openapi.json')).body)
    const { id } = (await jsonOf(api, '/v1/events?limit=1')).body.events[0]
    for (const [path, asked] of [
      ['/v1/events', '/v1/events?limit=2'],
      ['/v1/events', '/v1/events?x=1'],
      ['/v1/events/{id}', `/v1/events/${id}`],
      ['/v1/events/{id}', '/v1/events/0'],
      ['/v1/streams', '/v1/streams'],
      ['/v1/streams', '/v1/streams?limit=0'],
      ['/v1/registrations', '/v1/registrations'],
      ['/v1/sinks', '/v1/sinks'],
    ] as const) {
      const { status, headers, body } = await jsonOf(api, asked)
      check(path, status, headers.get('content-type') ?? '', body)
    }
    expect(() => check('/v1/streams', 200, 'application/json', { streams: [{}] })).toThrow()
  })
})

test('a store that fails is 503, and the sentence of its fault is the detail', async () => {
  await using api = await filled(1)
  Object.assign(api.store, { fail: 'store_failed' })
  const { status, headers, body } = await jsonOf(api, '/v1/events')
  expect(status).toBe(503)
  expect(headers.get('retry-after')).toBe('5')
  expect(body).toMatchObject({ code: 'store_unavailable' })
})

describe('pictures', () => {
  const FIELDS = {
    OssBucket: 'my-bucket',
    OssEndpoint: 'oss-cn-shanghai-internal.aliyuncs.com',
    OssObject: 'live/a b.jpg',
  }
  const credentials = {
    getCredentials: async () => ({
      accessKeyId: 'ak',
      accessKeySecret: 'sk',
      securityToken: 'an sts token',
    }),
  }

  async function imageOf(images: ImageSource, fields: object, query = '', withKey = true) {
    await using api = await serveApi({ images, ...(withKey && { credentials }) })
    const event = shotOf({ ...FIELDS, ...fields })
    await api.append(event)
    const response = await api.get(`/v1/events/${event.id}/image${query}`, { redirect: 'manual' })
    const problem = response.status === 302 ? null : ((await response.json()) as { code: string })
    return { response, problem, location: response.headers.get('location') ?? '' }
  }
  const OSS: ImageSource = { kind: 'oss', buckets: ['my-bucket'] }

  test('are led to with a signed URL that is good for ten minutes', async () => {
    const { response, location } = await imageOf(OSS, {}, '?width=320')
    expect(response.status).toBe(302)
    expect(response.headers.get('referrer-policy')).toBe('no-referrer')
    const { origin, pathname, searchParams } = new URL(location)
    expect(origin + pathname).toBe('https://my-bucket.oss-cn-shanghai.aliyuncs.com/live/a%20b.jpg')
    expect(searchParams.get('x-oss-expires')).toBe('600')
    expect(searchParams.get('x-oss-process')).toBe('image/resize,w_320')
    expect(searchParams.get('x-oss-security-token')).toBe('an sts token')
    expect(searchParams.get('snaphook-seq')).toBe('1')
    expect(searchParams.get('x-oss-signature')).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each([
    ['a bucket that is not listed', OSS, { OssBucket: 'other' }, 403, 'bucket_not_listed'],
    ['another endpoint', OSS, { OssEndpoint: 'evil.example.com' }, 403, 'endpoint_not_allowed'],
    ['a control character', OSS, { OssObject: 'a\nb' }, 403, 'object_not_allowed'],
    ['no object', OSS, { OssObject: '' }, 404, 'no_picture'],
    ['pictures that are off', { kind: 'off' } as const, {}, 404, 'images_off'],
  ])('%s is a problem that says which rule', async (_, images, fields, status, code) => {
    const { response, problem } = await imageOf(images, fields)
    expect(response.status).toBe(status)
    expect(problem).toMatchObject({ code, detail: expect.stringMatching(/\.$/) })
  })

  test('without credentials they say so', async () => {
    const { response, problem } = await imageOf(OSS, {}, '', false)
    expect(response.status).toBe(503)
    expect(problem).toMatchObject({ code: 'credentials_missing' })
  })

  test.each(['?width=0', '?width=x', '?height=3', '?width=16385'])(
    '%s is refused',
    async (query) => {
      expect((await imageOf(OSS, {}, query)).problem).toMatchObject({ code: 'invalid_parameters' })
    },
  )

  test('of an event that is not there are 404', async () => {
    await using api = await serveApi({ images: OSS })
    expect((await api.get(`/v1/events/${'0'.repeat(64)}/image`)).status).toBe(404)
  })
})
