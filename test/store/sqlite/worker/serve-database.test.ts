import { once } from 'node:events'
import { join } from 'node:path'
import { MessageChannel, type MessagePort } from 'node:worker_threads'
import { describe, expect, it, onTestFinished } from 'vitest'
import {
  type Call,
  type Reply,
  serveDatabase,
} from '../../../../src/store/sqlite/worker/serve-database.ts'
import { temporaryFolder } from '../../../support/store/store-fixtures.ts'

function serve(path: string): MessagePort {
  const { port1, port2 } = new MessageChannel()
  onTestFinished(() => port1.close())
  serveDatabase(port2, { path, readOnly: false })
  return port1
}

async function replyFrom(port: MessagePort): Promise<Reply> {
  const [reply] = await once(port, 'message')
  return reply
}

function ask(port: MessagePort, method: Call['method'], argument?: unknown): Promise<Reply> {
  port.postMessage({ id: 7, method, argument } satisfies Call)
  return replyFrom(port)
}

describe('serveDatabase', () => {
  it('says that it has opened the store, answers calls, and ends when it is closed', async () => {
    const port = serve(join(temporaryFolder(), 'snaphook.db'))
    expect(await replyFrom(port)).toEqual({ kind: 'opened' })
    expect(await ask(port, 'stats')).toEqual({
      kind: 'answer',
      id: 7,
      value: { events: 0, lastSeq: 0 },
    })
    expect(await ask(port, 'pragma', 'nonsense')).toEqual({ kind: 'answer', id: 7, value: null })
    expect(await ask(port, 'pragma', 'user_version = (')).toMatchObject({
      kind: 'failed',
      id: 7,
      fault: { code: 'store_failed' },
    })
    const ended = once(port, 'close')
    expect(await ask(port, 'close')).toMatchObject({ kind: 'answer', id: 7 })
    await ended
  })

  it('says why it could not open the store, and ends', async () => {
    const port = serve(temporaryFolder())
    const ended = once(port, 'close')
    expect(await replyFrom(port)).toMatchObject({
      kind: 'not_opened',
      fault: { code: 'store_unavailable' },
    })
    await ended
  })
})
