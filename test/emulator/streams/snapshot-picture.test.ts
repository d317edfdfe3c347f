import { decode } from 'jpeg-js'
import { describe, expect, test } from 'vitest'
import { createArchive, type Shot } from '../../../src/emulator/streams/archive.ts'
import { GLYPH_HEIGHT, glyphOf } from '../../../src/emulator/streams/bitmap-font.ts'
import {
  drawSnapshot,
  PICTURE_HEIGHT,
  PICTURE_WIDTH,
} from '../../../src/emulator/streams/snapshot-picture.ts'
import { emulate, STREAM } from '../support.ts'

const SHOT: Shot = {
  ...STREAM,
  at: Date.parse('2026-01-01T00:00:00Z'),
  sequence: 1,
  endpoint: 'oss.example.com',
  bucket: 'bucket',
  object: 'live/door.jpg',
  isOverlay: false,
}

/** How many pixels of the upper two thirds are light: the label's, and the sun's. */
function inkOf(jpeg: Buffer): number {
  const { data } = decode(jpeg)
  let ink = 0
  for (let index = 0; index < PICTURE_WIDTH * 120 * 4; index += 4) {
    if (data.readUInt8(index) > 200 && data.readUInt8(index + 1) > 200) ink += 1
  }
  return ink
}

describe('the picture of a snapshot', () => {
  test('is a JPEG with a label on it', () => {
    const jpeg = drawSnapshot(SHOT)
    expect(jpeg.subarray(0, 3).toString('hex')).toBe('ffd8ff')
    expect(decode(jpeg)).toMatchObject({ width: PICTURE_WIDTH, height: PICTURE_HEIGHT })
    expect(inkOf(jpeg)).toBeGreaterThan(1000)
  })

  test('differs by stream, by time and by shot', () => {
    const pictures = [
      SHOT,
      { ...SHOT, stream: 'gate' },
      { ...SHOT, at: SHOT.at + 1 },
      { ...SHOT, sequence: 2 },
    ].map((shot) => drawSnapshot(shot).toString('base64'))
    expect(new Set(pictures).size).toBe(4)
  })

  test('survives any name', () => {
    const jpeg = drawSnapshot({ ...SHOT, stream: '猫'.repeat(200) })
    expect(decode(jpeg).width).toBe(PICTURE_WIDTH)
  })

  test('has a glyph for every letter and digit, in either case', () => {
    const box = glyphOf('猫').join()
    for (const char of 'ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_:./ ') {
      expect(glyphOf(char)).toHaveLength(GLYPH_HEIGHT)
      expect(glyphOf(char).join()).not.toBe(box)
    }
    expect(glyphOf('a')).toEqual(glyphOf('A'))
  })

  test('is served from the bucket', async () => {
    await using emulator = await emulate({ openBucket: true })
    emulator.startPush(STREAM)
    const [shot] = emulator.shoot(STREAM) ?? []
    const path = `${emulator.url}/buckets/${shot?.bucket}/${shot?.object}`
    const response = await fetch(path)
    expect(response.headers.get('content-type')).toBe('image/jpeg')
    expect(decode(await response.arrayBuffer()).width).toBe(PICTURE_WIDTH)
    expect((await fetch(`${path}.gone`)).status).toBe(404)
  })
})

describe('the archive', () => {
  test('keeps the last few pictures of a stream, and draws each once', () => {
    let drawn = 0
    const archive = createArchive(() => {
      drawn += 1
      return Buffer.from([drawn])
    })
    for (let n = 1; n <= 33; n += 1) archive.store({ ...SHOT, object: `${n}.jpg` })
    archive.store({ ...SHOT, object: 'last.jpg', isOverlay: true })
    const kept = ['3.jpg', '4.jpg', '33.jpg', 'last.jpg'].map(
      (object) => archive.picture('bucket', object) !== undefined,
    )
    expect(kept).toEqual([false, true, true, true])
    expect(archive.picture('bucket', '33.jpg')).toBe(archive.picture('bucket', '33.jpg'))
    expect(drawn).toBe(3)
    expect(archive.shotsOf(STREAM)).toHaveLength(34)
  })

  test('forgets the oldest of very many streams', () => {
    const archive = createArchive(drawSnapshot)
    for (let n = 0; n <= 1000; n += 1) {
      const stream = `stream-${n}`
      archive.store({ ...SHOT, stream, object: `${stream}.jpg`, isOverlay: n % 2 === 0 })
    }
    expect(archive.shotsOf({ ...STREAM, stream: 'stream-0' })).toBeUndefined()
    expect(archive.picture('bucket', 'stream-0.jpg')).toBeUndefined()
    expect(archive.shotsOf({ ...STREAM, stream: 'stream-1000' })).toHaveLength(1)
  })
})
