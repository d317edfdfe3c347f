// Starts listeners for a test and ends them after it; fails a test that leaves a rejection unhandled.
import { afterEach, beforeEach, expect } from 'vitest'
import { type App, type Limits, type Listener, listen } from '../../src/http/listen.ts'
import { createCallbackApp } from '../../src/http/public/callback-app.ts'
import { createFakeLog, createFakeReceiver, type FakeReceiver, PROBED } from './fakes.ts'
import { openRaw, rawPost } from './raw-client.ts'

export type Harness = {
  /** The receiver behind the callback app: a new one for each test. */
  readonly receiver: FakeReceiver
  /** Listens on a free loopback port, with the callback app unless another is given. */
  start(limits?: Partial<Limits>, app?: App): Promise<Listener>
}

/** Call it once, at the top of a test file. */
export function useListeners(): Harness {
  let receiver: FakeReceiver
  let listeners: Listener[]
  let rejections: unknown[]
  const onRejection = (reason: unknown) => rejections.push(reason)

  beforeEach(() => {
    receiver = createFakeReceiver()
    listeners = []
    rejections = []
    process.on('unhandledRejection', onRejection)
  })

  afterEach(async () => {
    await Promise.all(listeners.map((listener) => listener.close(0)))
    process.off('unhandledRejection', onRejection)
    expect(rejections).toEqual([])
  })

  return {
    get receiver() {
      return receiver
    },
    async start(limits = {}, app) {
      const log = createFakeLog()
      const isCallbackPath = (prefix: string) => prefix === ''
      const callbacks = createCallbackApp({ receiver, isCallbackPath, ...PROBED, log })
      const options = { host: '127.0.0.1', port: 0, log, limits }
      const listener = await listen(app ?? callbacks, options)
      listeners.push(listener)
      return listener
    },
  }
}

/** Sends one good callback on a connection of its own and returns the status of its answer. */
export async function sendCallback(port: number): Promise<number | undefined> {
  const client = await openRaw(port)
  client.send(rawPost({ body: '{}' }))
  const [status] = await client.answers(1)
  client.socket.destroy()
  return status
}
