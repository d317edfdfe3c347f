// A bucket that can be slow, refuse or be dead.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { drawSnapshot } from '../../../src/emulator/streams/snapshot-picture.ts'
import { listen } from './answers.ts'

/** What the bucket does with a request for a picture. */
export type BucketMode = 'ok' | 'refuses' | 'hangs'

export async function startFakeBucket(mode: () => BucketMode, delayMs: () => number) {
  const held = new Map<ServerResponse, string>()
  const pictures: string[] = []
  const bucket = createServer((request, response) => void givePicture(request, response))
  return {
    url: `http://127.0.0.1:${await listen(bucket, 0)}`,
    pictures,
    /** Gives the pictures that the bucket holds back. */
    give() {
      for (const [response, path] of held) draw(path, response)
      held.clear()
    },
    /** Breaks off what the bucket holds back. */
    release() {
      for (const response of held.keys()) response.destroy()
      held.clear()
    },
    async stop() {
      bucket.closeAllConnections()
      await new Promise((resolve) => bucket.close(resolve))
    },
  }

  async function givePicture(request: IncomingMessage, response: ServerResponse): Promise<unknown> {
    const { url = '' } = request
    pictures.push(url)
    if (mode() === 'refuses') return response.writeHead(403).end('AccessDenied')
    if (mode() === 'hangs') return held.set(response, url)
    if (delayMs() > 0) await new Promise((resolve) => setTimeout(resolve, delayMs()))
    return draw(url, response)
  }
}

function draw(path: string, response: ServerResponse) {
  const [, app = '', stream = '', sequence = '0'] = /^\/([^/]+)\/([^/]+)\/(\d+)/.exec(path) ?? []
  const shot = { app, stream, at: Date.now(), sequence: Number(sequence) } as Parameters<
    typeof drawSnapshot
  >[0]
  return response.writeHead(200, { 'Content-Type': 'image/jpeg' }).end(drawSnapshot(shot))
}
