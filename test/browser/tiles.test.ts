// The wall in a real browser: tiles, their pictures and states, and the ways to look at them.
import { AxeBuilder } from '@axe-core/playwright'
import type { Page } from 'playwright-core'
import { describe, expect, test } from 'vitest'
import { eventually, hasChromium, texts, useBrowser } from './support/chromium.ts'
import { startFakeService } from './support/fake-service.ts'

const PLAY = 'play.example.com/live'

const names = (page: Page) => texts(page, '.tile .name')
const states = (page: Page) => texts(page, '.tile .state')
const pictureOf = (page: Page, name: string) =>
  page.locator('.tile', { has: page.getByText(name, { exact: true }) }).locator('.picture img')
const violations = async (page: Page) => {
  const { violations: found } = await new AxeBuilder({ page }).analyze()
  return found.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
}

describe.skipIf(!hasChromium)('tiles', () => {
  const browser = useBrowser()

  test('pictures appear, and a new shot replaces the last one', async () => {
    await using service = await startFakeService()
    const stream = service.add('cam-1', { agoMs: 8_000 })
    await using page = await browser.open(service.url)
    const loaded = () =>
      pictureOf(page, 'cam-1').evaluate((img: HTMLImageElement) => img.naturalWidth > 0 && img.src)
    const first = await loaded()
    expect(first).toContain('/v1/events/')
    await eventually(async () =>
      Number.parseInt((await texts(page, '.age'))[0] ?? '', 10),
    ).toBeGreaterThan(8)
    service.shoot(stream)
    await eventually(loaded).not.toBe(first)
    expect(await texts(page, '.age')).not.toContain('9 s')
    await eventually(() => page.locator('#health').innerText()).toContain('1 domain in sync')
  })

  test('states are told by text and shape, and change by themselves', async () => {
    await using service = await startFakeService()
    service.add('fresh')
    service.add('late', { agoMs: 60_000 })
    service.add('quiet', { agoMs: 3_600_000 })
    // Late only when a slow machine shows the page, too: what is said is how it changes.
    const waning = service.add('waning', { agoMs: 24_000 })
    await using page = await browser.open(service.url)
    await eventually(() => states(page)).toEqual(['Live', 'Late', 'Silent', 'Late'])
    const shapes = await page.locator('.tile .shape').evaluateAll((all) =>
      all.map((each) => {
        const { clipPath, borderRadius } = getComputedStyle(each)
        return `${clipPath} ${borderRadius}`
      }),
    )
    expect(new Set(shapes)).toHaveLength(3)
    await eventually(() => page.title()).toBe('1 silent · 2 late · snaphook')
    await eventually(() => page.locator('#spoken').textContent()).toBe('waning is late')
    service.shoot(waning)
    await eventually(() => states(page)).toEqual(['Live', 'Late', 'Silent', 'Live'])
    await eventually(() => page.locator('#spoken').textContent()).toBe('waning is live')
  })

  test('filter, order, size and pins are in the URL, and a link leads to them', async () => {
    await using service = await startFakeService()
    service.add('cam-1', { agoMs: 3_000 })
    service.add('cam-2', { agoMs: 9_000, app: 'sports' })
    service.add('cam-10', { agoMs: 1_000, domain: 'cdn.example.net' })
    await using page = await browser.open(service.url)
    await eventually(() => names(page)).toEqual(['cam-1', 'cam-2', 'cam-10'])
    await page.selectOption('#order', 'recent')
    await eventually(() => names(page)).toEqual(['cam-10', 'cam-1', 'cam-2'])
    await page.selectOption('#size', 'l')
    await page.locator('.tile').nth(2).hover()
    await page.locator('.tile').nth(2).locator('.pin').click()
    await eventually(() => names(page)).toEqual(['cam-2', 'cam-10', 'cam-1'])
    await page.selectOption('#domain', 'play.example.com')
    await page.fill('#q', 'CAM-')
    await eventually(() => names(page)).toEqual(['cam-2', 'cam-1'])
    const url = page.url()
    expect(url).toContain('q=CAM-')
    await using other = await browser.open(url)
    await eventually(() => names(other)).toEqual(['cam-2', 'cam-1'])
    expect(await other.locator('#tiles').getAttribute('data-size')).toBe('l')
    expect(await other.locator('#q').inputValue()).toBe('CAM-')
    expect(
      await other.getByRole('button', { name: 'Pin cam-2' }).getAttribute('aria-pressed'),
    ).toBe('true')
    await other.fill('#q', 'nothing like it')
    await eventually(() =>
      other.getByRole('heading', { name: 'No stream matches' }).isVisible(),
    ).toBe(true)
    await other.getByRole('button', { name: 'Show all streams' }).click()
    await eventually(() => names(other)).toEqual(['cam-2', 'cam-10', 'cam-1'])
  })

  test('all of it goes by keyboard, and the focus shows', async () => {
    await using service = await startFakeService()
    for (const name of ['a', 'b', 'c', 'd']) service.add(name)
    await using page = await browser.open(service.url)
    await eventually(() => names(page)).toEqual(['a', 'b', 'c', 'd'])
    await page.locator('.tile-link').first().focus()
    await page.keyboard.press('ArrowRight')
    await page.keyboard.press('p')
    await eventually(() => names(page)).toEqual(['b', 'a', 'c', 'd'])
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('.name')?.textContent)
    expect(await focused()).toBe('b')
    const outline = () =>
      page.evaluate(
        () => getComputedStyle(document.activeElement?.closest('.tile') as Element).outlineStyle,
      )
    expect(await outline()).toBe('solid')
    await page.keyboard.press('Enter')
    await eventually(() => page.locator('#one-title').textContent()).toBe('b')
    await page.keyboard.press('Escape')
    await eventually(() => page.locator('#one').isVisible()).toBe(false)
    expect(await focused()).toBe('b')
    await page.keyboard.press('?')
    expect(await page.locator('#keys').innerText()).toContain('pin the stream')
    await page.keyboard.press('Escape')
    await page.keyboard.press('o')
    await page.keyboard.press('s')
    await page.keyboard.press('+')
    await page.keyboard.press('b')
    await eventually(() => new URL(page.url()).search).toBe(
      `?state=live&order=recent&size=s&pin=${PLAY}/b&bar=off`,
    )
    await page.keyboard.press('/')
    await page.keyboard.type('ps?')
    expect(await page.locator('#q').inputValue()).toBe('ps?')
    await page.keyboard.press('Escape')
    await page.keyboard.press('d')
    await eventually(() => page.locator('#details').innerText()).toContain('play.example.com')
  })

  test.each([
    ['dark', 1280],
    ['light', 360],
  ] as const)(
    '%s at %d pixels: nothing that axe finds, and nothing sticks out',
    async (scheme, width) => {
      await using service = await startFakeService()
      service.add('a-stream-with-quite-a-long-name-that-goes-on-and-on')
      service.add('late', { agoMs: 60_000 })
      service.add('quiet', { agoMs: 3_600_000 })
      service.sinks = [
        { name: 'moderation', state: 'refused', lag: 9000, detail: '401', deadLetters: 3 },
      ]
      await using page = await browser.open(service.url, { width, scheme })
      await eventually(() => states(page)).toEqual(['Live', 'Late', 'Silent'])
      await eventually(() => page.locator('#health').innerText()).toContain(
        'sink moderation refuses',
      )
      expect(await violations(page)).toEqual([])
      const overflow = () =>
        page.evaluate(
          () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
        )
      expect(await overflow()).toBe(0)
      await page.locator('#health a', { hasText: 'moderation' }).click()
      await eventually(() => page.locator('#details').innerText()).toContain('9,000')
      expect(await violations(page)).toEqual([])
      await page.keyboard.press('Escape')
      await page.locator('.tile-link').first().click()
      await eventually(() => page.locator('#strip button').count()).toBe(1)
      expect(await violations(page)).toEqual([])
      expect(await overflow()).toBe(0)
    },
  )

  test('the list is asked for once, ahead, and its pictures do not wait for the event stream', async () => {
    await using service = await startFakeService()
    service.isSseHeld = true
    service.add('cam-1')
    await using page = await browser.open(service.url)
    await eventually(() => pictureOf(page, 'cam-1').count()).toBe(1)
    expect(await page.locator('#connection').innerText()).toBe('Connecting')
    // The other one tells whether a session is needed.
    expect(service.requests.filter((each) => each === 'GET /v1/streams').length).toBe(2)
    const [list, module] = ['GET /v1/streams', 'GET /wall/page/grid.js'].map((each) =>
      service.requests.indexOf(each),
    )
    expect(list).toBeLessThan(module ?? 0)
  })

  test('with 500 streams, pictures are loaded only while they are in view', async () => {
    await using service = await startFakeService()
    for (let index = 1; index <= 500; index += 1) service.add(`cam-${index}`)
    await using page = await browser.open(`${service.url}?size=l`)
    await eventually(() => page.locator('.tile').count()).toBe(500)
    const shown = () => page.locator('.picture img').count()
    await eventually(shown).toBeGreaterThan(5)
    expect(service.pictures.length).toBeLessThan(40)
    await page.locator('.tile').last().scrollIntoViewIfNeeded()
    await eventually(() => pictureOf(page, 'cam-500').count()).toBe(1)
    expect(service.pictures.length).toBeLessThan(80)
  })

  test('a picture that was out of view is still there', async () => {
    await using service = await startFakeService()
    for (let index = 1; index <= 60; index += 1) service.add(`cam-${index}`)
    await using page = await browser.open(`${service.url}?size=l`)
    const drawn = (name: string) =>
      pictureOf(page, name).evaluate((img: HTMLImageElement) => img.naturalWidth)
    await eventually(() => drawn('cam-1')).toBeGreaterThan(0)
    await page.locator('.tile').last().scrollIntoViewIfNeeded()
    await eventually(() => drawn('cam-60')).toBeGreaterThan(0)
    await page.locator('.tile').first().scrollIntoViewIfNeeded()
    expect(await drawn('cam-1')).toBeGreaterThan(0)
  })

  test('the first picture is shown at once, and those that come after it together: each time costs a frame', async () => {
    await using service = await startFakeService()
    for (let index = 1; index <= 12; index += 1) service.add(`cam-${index}`)
    await using page = await browser.open('about:blank')
    const now = Date.now()
    await page.clock.install({ time: now })
    await page.clock.pauseAt(now + 1000)
    let loaded = 0
    page.on('requestfinished', (request) => {
      if (request.url().endsWith('.jpg')) loaded += 1
    })
    await page.goto(service.url)
    await eventually(() => loaded).toBe(12)
    const shown = () => page.locator('.picture img').count()
    await eventually(shown).toBe(1)
    await page.clock.runFor(250)
    await eventually(shown).toBe(12)
  })

  test('hundreds of tiles that change places end in their order, and the focus stays', async () => {
    await using service = await startFakeService()
    for (let index = 1; index <= 200; index += 1) service.add(`cam-${index}`, { agoMs: index * 50 })
    await using page = await browser.open(service.url)
    await eventually(() => page.locator('.tile').count()).toBe(200)
    await page.locator('.tile-link', { hasText: 'cam-7' }).first().focus()
    await page.keyboard.press('o')
    await page.keyboard.press('o')
    const turned = Array.from({ length: 200 }, (_, index) => `cam-${200 - index}`)
    await eventually(() => names(page)).toEqual(turned)
    const focused = () =>
      page.evaluate(() => document.activeElement?.querySelector('.name')?.textContent)
    await eventually(focused).toBe('cam-7')
  })
})
