// One stream in a real browser: its picture, the strip of its last shots, and what its events say.
import { describe, expect, test } from 'vitest'
import { eventually, hasChromium, texts, useBrowser } from './support/chromium.ts'
import { startFakeService } from './support/fake-service.ts'

describe.skipIf(!hasChromium)('one stream', () => {
  const browser = useBrowser()

  async function withShots(count: number) {
    const service = await startFakeService()
    service.add('other')
    const stream = service.add('cam-1', { agoMs: 5000 * count })
    for (let index = 1; index < count; index += 1)
      service.shoot(stream, { agoMs: 5000 * (count - index) })
    const link = `${service.url}?stream=play.example.com/live/cam-1`
    return { service, stream, link, [Symbol.asyncDispose]: () => service.stop() }
  }

  test('a deep link leads to it; its shots can be walked through, and it follows the newest', async () => {
    await using it = await withShots(5)
    await using page = await browser.open(it.link)
    await eventually(() => page.locator('#strip button').count()).toBe(5)
    await eventually(() => page.locator('#big img').count()).toBe(1)
    const shown = () => page.locator('#strip [aria-current=true]').getAttribute('data-id')
    const newest = await shown()
    expect(newest).toBe(it.stream.shots[4]?.id)
    await page.keyboard.press('ArrowLeft')
    await page.keyboard.press('ArrowLeft')
    expect(await shown()).toBe(it.stream.shots[2]?.id)
    expect(await page.locator('#newer').innerText()).toBe('2 newer')
    expect(new URL(page.url()).searchParams.get('shot')).toBe(it.stream.shots[2]?.id)
    it.service.shoot(it.stream)
    await eventually(() => page.locator('#newer').innerText()).toBe('3 newer')
    expect(await shown()).toBe(it.stream.shots[2]?.id)
    await page.keyboard.press('Home')
    expect(await shown()).toBe(it.stream.shots[0]?.id)
    await page.keyboard.press('End')
    it.service.shoot(it.stream)
    await eventually(shown).toBe(it.stream.shots.at(-1)?.id)
    await page.keyboard.press('ArrowDown')
    await eventually(() => page.locator('#one-title').textContent()).toBe('other')
  })

  test('a link to one shot shows that one, though newer ones come', async () => {
    await using it = await withShots(40)
    const old = it.stream.shots[3]
    await using page = await browser.open(`${it.link}&shot=${old?.id}`)
    await eventually(() => page.locator('#strip [aria-current=true]').getAttribute('data-id')).toBe(
      old?.id,
    )
    it.service.shoot(it.stream)
    await eventually(() => page.locator('#newer').innerText()).toBe('25 newer')
  })

  test('what the event says is there: raw body, flags, times in the zone of the viewer and as UTC', async () => {
    await using it = await withShots(1)
    const raw = '<img src=x onerror=alert(1)> "not json"'
    it.service.shoot(it.stream, { flags: ['not_json'], raw })
    await using page = await browser.open(it.link)
    await eventually(() => page.locator('#raw').textContent()).toBe(raw)
    const facts = await texts(page, '#one-facts dd')
    expect(facts).toContain('not_json: the body is not JSON')
    const { receivedAt } = it.stream.shots.at(-1)?.data ?? { receivedAt: '' }
    const shanghai = new Date(receivedAt).toLocaleTimeString('en-GB', { timeZone: 'Asia/Shanghai' })
    expect(facts.join()).toContain(shanghai)
    const title = await page.locator('#one-facts time').nth(1).getAttribute('title')
    expect(title).toBe(`${receivedAt.replace('T', ' ').replace('Z', '')} UTC`)
    expect(await page.locator('#open').getAttribute('href')).toContain('/image?width=1920')
    await page.keyboard.press('c')
    await eventually(() => page.locator('#copy').innerText()).toBe('Copied')
    await page.context().grantPermissions(['clipboard-read'])
    const copied = JSON.parse(await page.evaluate(() => navigator.clipboard.readText()))
    expect(copied).toEqual(it.stream.shots.at(-1))
  })

  test('going back closes it, and it can be closed where it was opened by a link', async () => {
    await using it = await withShots(2)
    await using page = await browser.open(it.service.url)
    await page.locator('.tile-link', { hasText: 'cam-1' }).click()
    await eventually(() => page.locator('#one').isVisible()).toBe(true)
    await page.keyboard.press('ArrowLeft')
    await page.goBack()
    await eventually(() => page.locator('#one').isVisible()).toBe(false)
    expect(new URL(page.url()).search).toBe('')
    await page.goto(it.link)
    await eventually(() => page.locator('#strip button').count()).toBe(2)
    await page.getByRole('button', { name: 'Close' }).click()
    await eventually(() => page.locator('#one').isVisible()).toBe(false)
    expect(page.url()).not.toContain('stream=')
  })

  test('until its picture is there the small one that was seen stands for it', async () => {
    await using it = await withShots(3)
    await using page = await browser.open(it.service.url)
    const tile = page.locator('.tile', { hasText: 'cam-1' })
    await eventually(() => tile.locator('img').count()).toBe(1)
    const small = await tile.locator('img').getAttribute('src')
    it.service.bucketMode = 'hangs'
    await tile.locator('.tile-link').click()
    await eventually(() => page.locator('#big img').getAttribute('src')).toBe(small)
    expect(
      await page.locator('#big img').evaluate((img) => (img as HTMLImageElement).naturalWidth),
    ).toBeGreaterThan(0)
    it.service.bucketMode = 'ok'
    it.service.give()
    await eventually(() => page.locator('#big img').getAttribute('src')).not.toBe(small)
    expect(await page.locator('#big img').getAttribute('alt')).toBe('The shot')
    // What a link leads to is not shown by another shot.
    await page.keyboard.press('Escape')
    it.service.bucketMode = 'hangs'
    await page.goto(`${it.link}&shot=${it.stream.shots[0]?.id}`)
    await eventually(() => page.locator('#strip button').count()).toBe(3)
    expect(await page.locator('#big img').count()).toBe(0)
  })

  test('a picture that the bucket refuses says so in its place', async () => {
    await using it = await withShots(1)
    it.service.bucketMode = 'refuses'
    await using page = await browser.open(it.link)
    await eventually(() => page.locator('#one-note').innerText()).toContain('may not read it')
    // Nor does a broken picture stand in the strip.
    const opacity = (img: Element) => getComputedStyle(img).opacity
    await eventually(() => page.locator('#strip img').evaluate(opacity)).toBe('0')
  })
})
