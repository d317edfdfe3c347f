// Makes docs/wall.png, the picture of the wall in the README: the demo, seen in Debian's Chromium once its
// last stream is late. Takes a minute and a half. `npm run screenshot`.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { chromium } from 'playwright-core'

const MAIN = fileURLToPath(new URL('../src/main.ts', import.meta.url))
const PICTURE = fileURLToPath(new URL('wall.png', import.meta.url))
const SIZE = { width: 1280, height: 684 }
/** The stream stops after half a minute, and is late half a minute later. */
const PATIENCE_MS = 120_000

const folder = mkdtempSync(join(tmpdir(), 'snaphook-screenshot-'))
const demo = spawn(process.execPath, [MAIN, 'demo', '--store', join(folder, 'demo.db')], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
const [first] = await once(createInterface(demo.stdout), 'line')
const [, url = ''] = /^wall +(\S+)/.exec(String(first)) ?? []
const browser = await chromium.launch({
  executablePath: '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' })
  await page.goto(url)
  await page.locator('.tile[data-state=late] img').waitFor({ timeout: PATIENCE_MS })
  await page.screenshot({ path: PICTURE })
} finally {
  await browser.close()
  demo.kill('SIGINT')
  await once(demo, 'exit')
  rmSync(folder, { recursive: true, force: true })
}
