// Debian's Chromium, driven by playwright-core. Where there is none, browser tests are skipped.
import { existsSync } from 'node:fs'
import { type Browser, chromium, type Page } from 'playwright-core'
import { afterAll, beforeAll, expect } from 'vitest'

const PATH = '/usr/bin/chromium'
export const hasChromium = existsSync(PATH)
/** Far above what anything takes: the machine may be busy. */
const PATIENCE = { timeout: 20_000, interval: 100 }

/** A browser that asks nothing of the world outside. */
export function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: PATH,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  })
}

export type PageOptions = { width?: number; height?: number; scheme?: 'dark' | 'light' }

/** One browser for the tests of a file; each test has pages of its own. */
export function useBrowser() {
  let browser: Browser | undefined
  beforeAll(async () => {
    if (hasChromium) browser = await openBrowser()
  })
  afterAll(() => browser?.close())

  return {
    /** A page at `url`. What the page may not do, and what it fails at, fails the test. */
    async open(url: string, { width = 1280, height = 720, scheme = 'dark' }: PageOptions = {}) {
      if (browser === undefined) throw new TypeError('no browser')
      const context = await browser.newContext({
        viewport: { width, height },
        colorScheme: scheme,
        timezoneId: 'Asia/Shanghai',
        locale: 'en-GB',
      })
      const page = await context.newPage()
      const faults: string[] = []
      page.on('pageerror', (error) => faults.push(String(error.stack)))
      page.on('console', (message) => {
        if (/Content Security Policy|Trusted/i.test(message.text())) faults.push(message.text())
      })
      await page.goto(url)
      return Object.assign(page, {
        async [Symbol.asyncDispose]() {
          await context.close()
          expect(faults).toEqual([])
        },
      })
    },
  }
}

/** The text of all that match, as it is shown. */
export async function texts(page: Page, selector: string): Promise<string[]> {
  const all = await page.locator(selector).allInnerTexts()
  return all.map((text) => text.replace(/\s+/g, ' ').trim())
}

/** Waits until `read` gives what is expected. */
export function eventually<T>(read: () => Promise<T> | T) {
  return expect.poll(read, PATIENCE)
}
