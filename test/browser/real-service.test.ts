// The wall with the real service in a child process: the demo, a session with a real token, a service
// that is killed and started again, and what of it may not show.
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { assertNoSecrets } from '../support/no-secrets.ts'
import { DOMAIN, listening, setStage, settled } from '../support/service/stage.ts'
import { until } from '../support/until.ts'
import { eventually, hasChromium, texts, useBrowser } from './support/chromium.ts'

const STREAM = { domain: DOMAIN, app: 'live', stream: 'door' }
const API_SECRET = Buffer.alloc(32, 'the api secret of the tests').toString('base64url')

describe.skipIf(!hasChromium)('the real service', () => {
  const browser = useBrowser()

  test('the demo prints the wall first, and it shows pictures', async () => {
    await using stage = await setStage()
    const demo = stage.run(['demo'])
    await until('the demo to print where all is', () => demo.stdout.lines.length > 3)
    const [, url = ''] = /^wall +(\S+)$/.exec(demo.stdout.lines[0] ?? '') ?? []
    await using page = await browser.open(url)
    await eventually(() => texts(page, '.tile .name')).toEqual(
      [1, 2, 3, 4, 5, 6].map((n) => `stream-${n}`),
    )
    await eventually(() => page.locator('.tile img').count()).toBe(6)
    const isDrawn = (images: Element[]) =>
      images.every((each) => (each as HTMLImageElement).naturalWidth > 0)
    expect(await page.locator('.tile img').evaluateAll(isDrawn)).toBe(true)
    await eventually(() => page.locator('#health').innerText()).toContain('1 domain in sync')
    expect(await page.locator('#health').innerText()).toContain('1 sink up to date')
    await page.locator('.tile-link').first().click()
    await eventually(() => page.locator('#raw').textContent()).toContain('stream-1')
    await eventually(() => page.locator('#strip button').count()).toBeGreaterThan(1)
  })

  test('a token opens it, kill -9 shuts nobody out, and no secret is in the page', async () => {
    await using stage = await setStage({ openBucket: true })
    const settings = {
      SNAPHOOK_API_SECRET: API_SECRET,
      SNAPHOOK_IMAGES: `${stage.emulator.url}/buckets/{bucket}/{object}`,
    }
    const service = await stage.serve(settings)
    await settled(service)
    stage.emulator.startPush(STREAM)
    stage.emulator.shoot(STREAM)
    await until('an event', () => service.events().length === 1)
    const { stdout } = await stage.finish(['token'], settings)
    const token = stdout.trim()

    await using page = await browser.open(`${service.ops}/`)
    await eventually(() => page.getByLabel('Bearer token').isVisible()).toBe(true)
    await page.getByLabel('Bearer token').fill(`${token.slice(0, -4)}AAAA`)
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('#sign-in-problem').innerText()).toContain('not valid')
    await page.getByLabel('Bearer token').fill(token)
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('.tile img').count()).toBe(1)
    await page.locator('.tile-link').click()
    await eventually(() => page.locator('#raw').textContent()).toContain('door')
    const seen = await page.evaluate(() => document.documentElement.outerHTML + document.cookie)
    assertNoSecrets('the page', seen, { token, api: API_SECRET, access: 'testsecret' })
    await page.keyboard.press('Escape')

    service.kill('SIGKILL')
    await eventually(() => page.locator('#connection').innerText()).toContain('Connection lost')
    const again = stage.run(['serve'], {
      ...settings,
      SNAPHOOK_OPS_LISTEN: new URL(service.ops).host,
    })
    stage.front.lead((await listening(again)).callbacks)
    await eventually(() => page.locator('#connection').innerText()).toBe('Live')
    const before = await page.locator('.tile img').getAttribute('src')
    stage.emulator.shoot(STREAM)
    await eventually(() => page.locator('.tile img').getAttribute('src')).not.toBe(before)

    expect((await page.context().cookies()).map(({ name }) => name)).toEqual(['snaphook_session'])
    await page.getByRole('button', { name: 'Sign out' }).click()
    await eventually(() => page.getByLabel('Bearer token').isVisible()).toBe(true)
    expect(await page.context().cookies()).toEqual([])
  })
})

test('script and style stay within their budget', () => {
  const folder = new URL('../../src/wall/', import.meta.url)
  const served = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    /\.(?:js|css)$/.test(name),
  )
  const bytes = served.reduce((sum, name) => sum + statSync(new URL(name, folder)).size, 0)
  expect(served.length).toBeGreaterThan(10)
  expect(bytes).toBeLessThan(60 * 1024)
})

test('the page asks for nothing from elsewhere, and has neither inline script nor inline style', () => {
  const html = readFileSync(new URL('../../src/wall/index.html', import.meta.url), 'utf8')
  expect(html).not.toMatch(/(?:src|href)="(?:https?:)?\/\//)
  expect(html).not.toMatch(/<style|style=| on\w+=|<script(?![^>]* src=)/)
})
