import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  base64url,
  type CryptoKey,
  exportJWK,
  exportSPKI,
  generateKeyPair,
  type JWTPayload,
  SignJWT,
} from 'jose'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { createBearerAuth, issueToken } from '../../src/http/bearer.ts'

const NOW_SECONDS = 1_700_000_000
const now = () => NOW_SECONDS * 1000
const SECRET = 'a-secret-of-thirty-two-characters'
const ISSUER = 'https://issuer.example.com'
const AUDIENCE = 'snaphook'
const CLAIMS = { iss: ISSUER, aud: AUDIENCE, exp: NOW_SECONDS + 60 }

function signShared(claims: JWTPayload, secret = SECRET, alg = 'HS256'): Promise<string> {
  return new SignJWT(claims).setProtectedHeader({ alg }).sign(new TextEncoder().encode(secret))
}

function unsigned(claims: JWTPayload, alg = 'none'): string {
  const part = (value: object) => base64url.encode(JSON.stringify(value))
  return `${part({ alg, typ: 'JWT' })}.${part(claims)}.`
}

describe('the shared secret', () => {
  const auth = createBearerAuth({ secret: SECRET, now })
  const bearer = async (token: string | Promise<string>) => auth.verify(`Bearer ${await token}`)

  test('a token that it issued is good', async () => {
    const token = await issueToken(SECRET, { ttlSeconds: 60, nowSeconds: NOW_SECONDS })
    expect(await bearer(token)).toBeDefined()
    expect(JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString())).toEqual({
      sub: 'snaphook-cli',
      iat: NOW_SECONDS,
      exp: NOW_SECONDS + 60,
    })
  })

  test('the scheme is read in any case', async () => {
    expect(await auth.verify(`bearer  ${await signShared(CLAIMS)}`)).toBeDefined()
  })

  test('clocks may differ a little', async () => {
    expect(await bearer(signShared({ exp: NOW_SECONDS - 4 }))).toBeDefined()
    expect(await bearer(signShared({ exp: NOW_SECONDS - 5 }))).toBeUndefined()
    expect(await bearer(signShared({ exp: NOW_SECONDS + 60, nbf: NOW_SECONDS + 5 }))).toBeDefined()
  })

  test.each<[string, () => string | Promise<string>]>([
    ['expired', () => signShared({ exp: NOW_SECONDS - 60 })],
    ['without exp', () => signShared({ sub: 'x' })],
    ['with an exp that is no number', () => signShared({ exp: 'tomorrow' as unknown as number })],
    ['not valid yet', () => signShared({ exp: NOW_SECONDS + 99, nbf: NOW_SECONDS + 60 })],
    ['under another secret', () => signShared(CLAIMS, `${SECRET}x`)],
    ['under HS512', () => signShared(CLAIMS, SECRET.repeat(2), 'HS512')],
    ['with alg none', () => unsigned(CLAIMS)],
    ['with alg None', () => unsigned(CLAIMS, 'None')],
    ['with no signature', () => unsigned(CLAIMS, 'HS256')],
    ['altered', async () => (await signShared(CLAIMS)).replace(/\.[^.]+\./, `.${'e30'}.`)],
    ['of two parts', () => 'e30.e30'],
    ['of no sense', () => 'a.b.c'],
    ['empty', () => ''],
  ])('a token %s is refused', async (_, token) => {
    expect(await bearer(token())).toBeUndefined()
  })

  test('other schemes and no header are refused', async () => {
    const token = await signShared(CLAIMS)
    expect(await auth.verify(undefined)).toBeUndefined()
    expect(await auth.verify(token)).toBeUndefined()
    expect(await auth.verify(`Basic ${token}`)).toBeUndefined()
    expect(await auth.verify(`Bearer ${token} ${token}`)).toBeUndefined()
  })

  test('nothing configured is nothing accepted', async () => {
    const closed = createBearerAuth({ now })
    expect(await closed.verify(`Bearer ${await signShared(CLAIMS)}`)).toBeUndefined()
  })
})

describe('a key set', () => {
  const server = createServer((_, response) => {
    requests += 1
    response.setHeader('content-type', 'application/json').end(document)
  })
  const keys = new Map<string, { privateKey: CryptoKey; publicKey: CryptoKey }>()
  let requests = 0
  let document = ''
  let url = ''

  beforeAll(async () => {
    for (const alg of ['RS256', 'PS256', 'ES256', 'EdDSA', 'ES384']) {
      keys.set(alg, await generateKeyPair(alg, { extractable: true }))
    }
    const published = [...keys].map(async ([alg, { publicKey }]) => ({
      ...(await exportJWK(publicKey)),
      kid: alg,
      alg,
    }))
    document = JSON.stringify({ keys: await Promise.all(published) })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks.json`
  })

  afterAll(() => {
    server.close()
    server.closeAllConnections()
  })

  const create = (secret?: string) =>
    createBearerAuth({
      ...(secret === undefined ? {} : { secret }),
      jwks: { url, issuer: ISSUER, audience: AUDIENCE },
      now,
    })

  async function signWith(alg: string, claims: JWTPayload = CLAIMS, kid = alg): Promise<string> {
    const { privateKey } = keys.get(alg) ?? (await generateKeyPair(alg))
    return new SignJWT(claims).setProtectedHeader({ alg, kid }).sign(privateKey)
  }

  test.each(['RS256', 'PS256', 'ES256', 'EdDSA'])('%s is accepted', async (alg) => {
    expect(await create().verify(`Bearer ${await signWith(alg)}`)).toBeDefined()
  })

  test.each<[string, () => string | Promise<string>]>([
    ['another algorithm', () => signWith('ES384')],
    ['another issuer', () => signWith('ES256', { ...CLAIMS, iss: 'https://evil.example.com' })],
    ['no issuer', () => signWith('ES256', { aud: AUDIENCE, exp: CLAIMS.exp })],
    ['another audience', () => signWith('ES256', { ...CLAIMS, aud: 'other' })],
    ['no audience', () => signWith('ES256', { iss: ISSUER, exp: CLAIMS.exp })],
    ['no exp', () => signWith('ES256', { iss: ISSUER, aud: AUDIENCE })],
    ['an exp in the past', () => signWith('ES256', { ...CLAIMS, exp: NOW_SECONDS - 60 })],
    ['an unknown key', () => signWith('ES256', CLAIMS, 'nobody')],
    ["another key's name", () => signWith('ES256', CLAIMS, 'RS256')],
    ['no signature', () => unsigned(CLAIMS)],
  ])('%s is refused', async (_, token) => {
    expect(await create().verify(`Bearer ${await token()}`)).toBeUndefined()
  })

  test('the public key is no shared secret', async () => {
    const publicKey = keys.get('RS256')?.publicKey as CryptoKey
    const pem = await exportSPKI(publicKey)
    const modulus = (await exportJWK(publicKey)).n ?? ''
    for (const secret of [pem, pem.trim(), modulus, document]) {
      const token = await signShared(CLAIMS, secret)
      expect(await create().verify(`Bearer ${token}`)).toBeUndefined()
      expect(await create(SECRET).verify(`Bearer ${token}`)).toBeUndefined()
    }
  })

  test('beside a secret, either suffices', async () => {
    const auth = create(SECRET)
    expect(await auth.verify(`Bearer ${await signShared({ exp: CLAIMS.exp })}`)).toBeDefined()
    expect(await auth.verify(`Bearer ${await signWith('ES256')}`)).toBeDefined()
    expect(await auth.verify(`Bearer ${await signShared(CLAIMS, 'wrong')}`)).toBeUndefined()
  })

  test('is fetched once, and not at all for an algorithm that is out of the question', async () => {
    const auth = create()
    requests = 0
    await auth.verify(`Bearer ${await signShared(CLAIMS)}`)
    expect(requests).toBe(0)
    const token = await signWith('ES256')
    await Promise.all(Array.from({ length: 5 }, () => auth.verify(`Bearer ${token}`)))
    await auth.verify(`Bearer ${token}`)
    expect(requests).toBe(1)
  })

  test('that is no key set is closed', async () => {
    const token = await signWith('ES256')
    const published = document
    document = '<html>'
    expect(await create().verify(`Bearer ${token}`)).toBeUndefined()
    document = published
  })

  test('that cannot be reached is closed, and the secret still opens', async () => {
    const jwks = { url: 'http://127.0.0.1:1/jwks.json', issuer: ISSUER, audience: AUDIENCE }
    const auth = createBearerAuth({ secret: SECRET, jwks, now })
    expect(await auth.verify(`Bearer ${await signWith('ES256')}`)).toBeUndefined()
    expect(await auth.verify(`Bearer ${await signShared(CLAIMS)}`)).toBeDefined()
  })
})
