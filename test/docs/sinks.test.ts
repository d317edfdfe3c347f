// The receiver that docs/sinks.md shows, run as it stands there.
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { expect, onTestFinished, test } from 'vitest'
import { createWebhookSink } from '../../src/sinks/webhook.ts'
import { textOf } from '../deploy/files.ts'
import { fencedLines } from '../deploy/markdown.ts'
import { eventOf } from '../support/store/store-events.ts'
import { until } from '../support/until.ts'

/** Where the packages of the example are found. */
const CACHE = fileURLToPath(new URL('../../node_modules/.cache/', import.meta.url))
const SECRET = `whsec_${Buffer.alloc(32, 'good').toString('base64')}`
const OTHER = `whsec_${Buffer.alloc(32, 'bad').toString('base64')}`

async function startExample() {
  mkdirSync(CACHE, { recursive: true })
  const folder = mkdtempSync(`${CACHE}docs-`)
  const shown = fencedLines(textOf('docs/sinks.md'), 'js').join('\n')
  const onAnyPort = shown.replace('.listen(8000)', '.listen(0, started)')
  expect(onAnyPort).not.toBe(shown)
  const started = 'function started() { console.log(this.address().port) }'
  writeFileSync(`${folder}/receiver.mjs`, `${onAnyPort}\n${started}\n`)
  const child = spawn(process.execPath, [`${folder}/receiver.mjs`], {
    env: { WEBHOOK_SECRET: SECRET },
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  onTestFinished(async () => {
    child.kill()
    await once(child, 'exit')
    rmSync(folder, { recursive: true })
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  const port = await until('the receiver listens', () => lines[0])
  return { lines, url: `http://127.0.0.1:${port}/` }
}

test('takes what is signed with its secret, and nothing else', async () => {
  const { lines, url } = await startExample()
  const never = new AbortController().signal
  const deliver = (...secrets: string[]) =>
    createWebhookSink({ name: 'hook', url, secrets, now: Date.now }).deliver(
      [{ ...eventOf(1), seq: 1 }],
      never,
    )
  expect(await deliver(OTHER)).toMatchObject({ kind: 'refused' })
  expect(lines).toHaveLength(1)
  expect(await deliver(OTHER, SECRET)).toEqual({ kind: 'delivered' })
  await until('the event is printed', () => lines[1]?.startsWith(eventOf(1).id))
})
