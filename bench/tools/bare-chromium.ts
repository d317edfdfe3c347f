// Chromium as a viewer has it: nothing in it listens to requests. What test drivers switch on keeps a record
// of each, and hundreds of pictures a second then grow its heap and take its time.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

const PATH = '/usr/bin/chromium'
const COLLECTIONS = 5

type Answer = { id?: number; result?: unknown; error?: { message: string } }

/** One page of that size. `script` runs before any of the page's own. */
export async function openPage(size: { width: number; height: number }, script: string) {
  const profile = mkdtempSync(join(tmpdir(), 'snaphook-chromium-'))
  const options = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking']
  const chromium = spawn(
    PATH,
    [...options, '--remote-debugging-port=0', `--user-data-dir=${profile}`, 'about:blank'],
    { stdio: ['ignore', 'ignore', 'pipe'] },
  )
  const ended = new Promise((resolve) => chromium.once('exit', resolve))
  const socket = new WebSocket(await endpointOf(chromium.stderr))
  await new Promise((resolve, reject) => {
    socket.onopen = resolve
    socket.onerror = reject
  })
  const waiting = new Map<number, (answer: Answer) => void>()
  socket.onmessage = ({ data }) => {
    const answer = JSON.parse(data) as Answer
    if (answer.id !== undefined) waiting.get(answer.id)?.(answer)
  }
  let sent = 0
  let sessionId: string | undefined

  async function ask<T>(method: string, params: object = {}): Promise<T> {
    sent += 1
    const id = sent
    socket.send(JSON.stringify({ id, method, params, sessionId }))
    const { result, error } = await new Promise<Answer>((resolve) => waiting.set(id, resolve))
    waiting.delete(id)
    if (error !== undefined) throw new Error(`${method}: ${error.message}`)
    return result as T
  }

  const { targetInfos } = await ask<{ targetInfos: { type: string; targetId: string }[] }>(
    'Target.getTargets',
  )
  const targetId = targetInfos.find(({ type }) => type === 'page')?.targetId
  const session = await ask<{ sessionId: string }>('Target.attachToTarget', {
    targetId,
    flatten: true,
  })
  sessionId = session.sessionId
  await ask('Page.enable')
  await ask('Emulation.setDeviceMetricsOverride', { ...size, deviceScaleFactor: 1, mobile: false })
  await ask('Page.addScriptToEvaluateOnNewDocument', { source: script })

  return {
    goTo: (url: string) => ask('Page.navigate', { url }),
    async evaluate<T>(expression: string): Promise<T> {
      const options = { expression, returnByValue: true, awaitPromise: true }
      return (await ask<{ result: { value: T } }>('Runtime.evaluate', options)).result.value
    },
    /**
     * MiB after a collection. Elements and scripts are two heaps that hold each other: what one collection
     * leaves the next finds, so it is the least of some.
     */
    async heap(): Promise<number> {
      let least = Number.POSITIVE_INFINITY
      for (let round = 0; round < COLLECTIONS; round += 1) {
        await ask('HeapProfiler.collectGarbage')
        const { usedSize } = await ask<{ usedSize: number }>('Runtime.getHeapUsage')
        least = Math.min(least, usedSize / 2 ** 20)
      }
      return least
    },
    async close() {
      await ask('Page.disable')
      socket.close()
      chromium.kill()
      await ended
      rmSync(profile, { recursive: true, force: true })
    },
  }
}

async function endpointOf(stderr: NodeJS.ReadableStream): Promise<string> {
  const lines = createInterface(stderr)
  for await (const line of lines) {
    const [, url] = /^DevTools listening on (\S+)/.exec(line) ?? []
    if (url === undefined) continue
    stderr.resume()
    return url
  }
  throw new Error(`${PATH} ended before it listened`)
}
