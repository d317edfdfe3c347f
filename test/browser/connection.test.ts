// The wall when things go wrong: the service dies and comes back, a session is wanted, pictures don't
// come, and nothing has arrived yet.
import { describe, expect, test } from 'vitest'
import { eventually, hasChromium, texts, useBrowser } from './support/chromium.ts'
import { registration, startFakeService } from './support/fake-service.ts'

describe.skipIf(!hasChromium)('connection', () => {
  const browser = useBrowser()

  test('a service that was killed is a lost connection, and is followed again once it is back', async () => {
    await using service = await startFakeService()
    const stream = service.add('cam-1')
    await using page = await browser.open(service.url)
    const connection = () => page.locator('#connection').innerText()
    const tile = page.locator('.tile')
    await eventually(connection).toBe('Live')
    const killedAt = Date.now()
    await service.kill()
    await eventually(connection).toContain('Connection lost')
    expect(Date.now() - killedAt).toBeLessThan(10_000)
    await eventually(() => tile.locator('.state').innerText()).toBe('Unknown')
    expect(await page.locator('#states label').nth(1).innerText()).toContain('0')
    expect(await page.title()).toContain('connection lost')
    expect(await page.locator('#spoken').textContent()).toBe('Connection lost.')
    expect(await tile.locator('.picture').evaluate((it) => getComputedStyle(it).filter)).toContain(
      'grayscale',
    )
    service.shoot(stream)
    await service.start()
    await eventually(connection).toBe('Live')
    await eventually(() => tile.locator('.state').innerText()).toBe('Live')
    const latest = stream.shots.at(-1)?.id ?? ''
    await eventually(() => tile.locator('img').getAttribute('src')).toContain(latest)
    service.shoot(stream)
    await eventually(() => tile.locator('img').getAttribute('src')).not.toContain(latest)
    await eventually(() => service.readers()).toBe(1)
  })

  test('events that stay away while the log grows are a lost connection, though it is open', async () => {
    await using service = await startFakeService()
    const stream = service.add('cam-1')
    await using page = await browser.open(service.url)
    await eventually(() => page.locator('#connection').innerText()).toBe('Live')
    service.isSseSilent = true
    service.shoot(stream)
    const { id } = service.shoot(stream)
    // It connects again at once, and so it has the shot.
    await eventually(() => page.locator('.tile img').getAttribute('src')).toContain(id)
  })

  test('without a session there is a form and nothing else; a token opens the wall, and signing out shuts it', async () => {
    await using service = await startFakeService()
    service.add('cam-1')
    service.token = 'header.good.signature'
    await using page = await browser.open(service.url)
    await eventually(() => page.getByLabel('Bearer token').isVisible()).toBe(true)
    expect(await page.locator('#health a').count()).toBe(0)
    expect(await page.content()).not.toContain('cam-1')
    await page.getByLabel('Bearer token').fill('header.bad.signature')
    await page.keyboard.press('Enter')
    await eventually(() => texts(page, '[role=alert]')).toEqual([
      'This token is not valid, or has expired.',
    ])
    await page.getByLabel('Bearer token').fill(service.token)
    await page.getByRole('button', { name: 'Sign in' }).click()
    await eventually(() => texts(page, '.tile .name')).toEqual(['cam-1'])
    expect(await page.content()).not.toContain('good')
    await page.getByRole('button', { name: 'Sign out' }).click()
    await eventually(() => page.getByLabel('Bearer token').isVisible()).toBe(true)
  })

  test('a session that ends leads back to the form', async () => {
    await using service = await startFakeService()
    service.add('cam-1')
    await using page = await browser.open(service.url)
    await eventually(() => texts(page, '.tile .name')).toEqual(['cam-1'])
    service.token = 'another'
    await eventually(() => page.getByLabel('Bearer token').isVisible()).toBe(true)
    expect(await page.locator('#tiles').isVisible()).toBe(false)
  })

  test('a bucket that hangs stalls nothing, and has one request a tile at most', async () => {
    await using service = await startFakeService()
    const streams = ['a', 'b', 'c'].map((name) => service.add(name))
    service.bucketMode = 'hangs'
    await using page = await browser.open(service.url)
    await eventually(() => service.pictures.length).toBe(3)
    for (let round = 0; round < 5; round += 1) for (const stream of streams) service.shoot(stream)
    await page.selectOption('#order', 'stalest')
    await eventually(() => texts(page, '.tile .age')).toContain('2 s')
    expect(service.pictures).toHaveLength(3)
    service.bucketMode = 'ok'
    service.release()
    const newest = streams.map(({ shots }) => shots.at(-1)?.id)
    await eventually(() => page.locator('.tile img').count()).toBe(3)
    const sources = await page
      .locator('.tile img')
      .evaluateAll((all) => all.map((img) => img.getAttribute('src')))
    for (const id of newest) expect(sources.join()).toContain(id)
    expect(service.pictures).toHaveLength(6)
  })

  test.each([
    [{ bucketMode: 'refuses' as const }, 'bucket refused', 'snaphook doctor'],
    [
      { imageProblem: { status: 404, title: 'Pictures are off', detail: 'Set SNAPHOOK_IMAGES.' } },
      'Pictures are off',
      'Set SNAPHOOK_IMAGES.',
    ],
  ])('no picture, and why: %s', async (settings, short, advice) => {
    await using service = await startFakeService()
    Object.assign(service, settings)
    for (const name of ['a', 'b', 'c', 'd', 'e']) service.add(name)
    await using page = await browser.open(service.url)
    await eventually(() => texts(page, '.tile .note')).toContain(short)
    await eventually(() => page.locator('#notice').innerText()).toContain(advice)
  })

  test.each([
    [
      'No stream yet: a registration needs you',
      [registration('a.com', 'conflict', 'set takeover')],
      'set takeover',
    ],
    ['Registering', [registration('a.com', 'pending')], 'pending'],
    ['Registered, and silent', [registration('a.com')], 'snaphook doctor'],
  ])('nothing yet: %s', async (title, registrations, advice) => {
    await using service = await startFakeService()
    service.registrations = registrations
    await using page = await browser.open(service.url)
    await eventually(() => page.getByRole('heading', { name: title }).isVisible()).toBe(true)
    const said = await page.locator('.empty:visible').innerText()
    expect(said).toContain('a.com')
    expect(said).toContain(advice)
    service.add('first')
    service.shoot(service.streams[0] as (typeof service.streams)[number])
    await eventually(() => texts(page, '.tile .name')).toEqual(['first'])
  })

  test('what is wrong with the service is said in words, and leads to the details', async () => {
    await using service = await startFakeService()
    service.add('cam-1')
    service.audits = [
      {
        domain: 'play.example.com',
        state: 'doubtful',
        detail: 'Another replica may have them.',
        auditedUntil: null,
        missed: 42,
        filled: 1,
      },
    ]
    service.ready = { ready: false, reasons: ['disk full'], store: 'failing' }
    await using page = await browser.open(service.url)
    await eventually(() => page.locator('#health').innerText()).toContain('store fails: disk full')
    await page.locator('#health a', { hasText: '42 shots missed' }).click()
    await eventually(() => page.locator('#part-audit').innerText()).toContain(
      'Another replica may have them.',
    )
    expect(await page.locator('#part-replicas').isVisible()).toBe(false)
  })
})
