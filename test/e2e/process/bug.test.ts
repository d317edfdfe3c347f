// A bug is not retried for ever in silence: the log has its stack frames, and the process ends, for
// whatever runs it to start it anew.
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { type LogLine, setStage } from '../../support/service/stage.ts'

/** Stands for a bug: the store's answer to a look for events is nothing that can be used. */
const BROKEN_STORE = `
import { Worker } from 'node:worker_threads'
const { postMessage } = Worker.prototype
Worker.prototype.postMessage = function (message, ...rest) {
  const method = message.method === 'read' ? 'noSuchMethod' : message.method
  return postMessage.call(this, { ...message, method }, ...rest)
}
`

test('a bug in a flow: its frames are logged once, and the process ends with 1', async () => {
  await using stage = await setStage()
  const preload = join(stage.folder, 'preload.mjs')
  writeFileSync(preload, BROKEN_STORE)
  const { code, stderr } = await stage.finish(['serve'], { NODE_OPTIONS: `--import=${preload}` })
  expect(code).toBe(1)
  const lines = stderr.split('\n').filter((line) => line.startsWith('{'))
  const last = JSON.parse(lines.at(-1) ?? '{}') as LogLine
  expect(last).toMatchObject({
    level: 'error',
    msg: 'ended by a fault in the program: please report it',
    error: 'TypeError: run is not a function',
  })
  expect(last.frames).toContainEqual(expect.stringContaining('serve-database.ts'))
})
