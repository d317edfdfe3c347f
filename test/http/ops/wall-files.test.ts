// The wall as files: what is served, under which policy.
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { createWallFiles } from '../../../src/http/ops/wall-files.ts'

const WALL = new URL('../../../src/wall/', import.meta.url)
const app = (origins: string[] = []) => createWallFiles(WALL, async () => origins)

test('the page is served under a policy that names where pictures come from', async () => {
  const response = await app(['https://b.oss-cn-shanghai.aliyuncs.com']).request('/')
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
  expect(response.headers.get('referrer-policy')).toBe('no-referrer')
  expect(response.headers.get('x-content-type-options')).toBe('nosniff')
  const policy = response.headers.get('content-security-policy') ?? ''
  const directives = new Map(
    policy.split('; ').map((each) => [each.split(' ')[0], each.split(' ').slice(1)]),
  )
  expect(Object.fromEntries(directives)).toEqual({
    'default-src': ["'none'"],
    'script-src': ["'self'"],
    'style-src': ["'self'"],
    'connect-src': ["'self'"],
    'font-src': ["'self'"],
    'manifest-src': ["'self'"],
    'img-src': ["'self'", 'https://b.oss-cn-shanghai.aliyuncs.com'],
    'form-action': ["'self'"],
    'base-uri': ["'none'"],
    'frame-ancestors': ["'none'"],
  })
})

test('its files have their types, and are not sent twice', async () => {
  const script = await app().request('/wall/main.js')
  expect(script.headers.get('content-type')).toBe('text/javascript; charset=utf-8')
  const tag = script.headers.get('etag') ?? ''
  const again = await app().request('/wall/main.js', { headers: { 'if-none-match': tag } })
  expect(again.status).toBe(304)
})

test.each(['/wall/', '/wall/nothing.js', '/wall/../app/service.ts', '/wall/%2e%2e/app/service.ts'])(
  '%s is not there',
  async (path) => {
    expect((await app().request(path)).status).toBe(404)
  },
)

test('no module is asked for by one that another had to ask for first', async () => {
  const html = await (await app().request('/')).text()
  const named = [...html.matchAll(/rel="modulepreload" href="wall\/([^"]+)"/g)].map(
    ([, name]) => name,
  )
  const importsOf = (name: string) =>
    [...readFileSync(new URL(name, WALL), 'utf8').matchAll(/ from '([^']+)'/g)].map(
      ([, path = '']) => new URL(path, new URL(name, WALL)).href.slice(WALL.href.length),
    )
  const direct = importsOf('main.js')
  const deeper = new Set(direct.flatMap(importsOf).filter((name) => !direct.includes(name)))
  expect(named.toSorted()).toEqual([...deeper].toSorted())
})
