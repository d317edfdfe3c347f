import { Hono } from 'hono'
import { expect, test } from 'vitest'
import type { Env } from '../../../src/http/env.ts'
import { createLaterApp } from '../../../src/http/ops/later-app.ts'

/** An app that says what it was given. */
function saying(): Hono<Env> {
  const app = new Hono<Env>()
  return app.get('/v1/said', (c) => c.text(`${c.req.query('what')} until ${c.env.tokenEndsAt}`))
}

/** The app before it, which knows when a token ends. */
function before(later: Hono<Env>): Hono<Env> {
  const app = new Hono<Env>()
  app.use('/v1/*', async (c, next) => {
    c.env.tokenEndsAt = 7
    await next()
  })
  return app.route('/', later)
}

test('is made with the first request, once, and is given all of it', async () => {
  let made = 0
  const app = before(
    createLaterApp('/v1/*', async () => {
      made += 1
      return saying()
    }),
  )
  expect((await app.request('/healthz', {}, {})).status).toBe(404)
  expect(made).toBe(0)
  const answers = await Promise.all(
    ['this', 'that'].map((what) => app.request(`/v1/said?what=${what}`, {}, {})),
  )
  expect(await Promise.all(answers.map((answer) => answer.text()))).toEqual([
    'this until 7',
    'that until 7',
  ])
  expect(made).toBe(1)
})

test('one that could not be made is made for the next request', async () => {
  let tries = 0
  const app = before(
    createLaterApp('/v1/*', async () => {
      tries += 1
      if (tries === 1) throw new TypeError('no memory')
      return saying()
    }),
  )
  app.onError(() => new Response(null, { status: 500 }))
  expect((await app.request('/v1/said?what=this', {}, {})).status).toBe(500)
  expect((await app.request('/v1/said?what=this', {}, {})).status).toBe(200)
})
