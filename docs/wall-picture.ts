// `npm run wall-picture`: takes the picture of the wall that the README shows, from the demo, in the
// Chromium of the machine. Run it after the wall has changed how it looks.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as pause } from 'node:timers/promises'
import { chromium } from 'playwright-core'

const CHROMIUM = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']
const SIZE = { width: 1280, height: 660 }
/** Several shots of each stream, so that intervals and rates are known. */
const SETTLE_MS = 20_000
const OUT = join(import.meta.dirname, 'wall.jpg')

const executablePath = CHROMIUM.find(existsSync)
if (executablePath === undefined) throw new Error(`none of ${CHROMIUM.join(', ')} is installed`)
const folder = mkdtempSync(join(tmpdir(), 'snaphook-picture-'))
const main = join(import.meta.dirname, '../src/main.ts')
const demo = spawn(process.execPath, [main, 'demo', '--store', `${folder}/snaphook.db`], {
  stdio: ['ignore', 'pipe', 'inherit'],
})
try {
  const url = await wallUrl()
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] })
  const page = await browser.newPage({ viewport: SIZE, colorScheme: 'dark' })
  await page.goto(url)
  await pause(SETTLE_MS)
  await page.screenshot({ path: OUT, type: 'jpeg', quality: 82 })
  await browser.close()
} finally {
  demo.kill('SIGINT')
  await once(demo, 'exit')
  rmSync(folder, { recursive: true })
}

async function wallUrl(): Promise<string> {
  for await (const line of createInterface(demo.stdout)) {
    const [, url] = /^wall +(\S+)/.exec(line) ?? []
    if (url !== undefined) {
      demo.stdout.resume()
      return url
    }
  }
  throw new Error('the demo has no wall')
}
