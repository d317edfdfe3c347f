// Draws the picture of a snapshot: a real JPEG in the stream's colour, with the stream's name and
// the time on it, and a bar that moves with each shot so that change is seen from afar.
import { encode } from 'jpeg-js'
import type { Shot } from './archive.ts'
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from './bitmap-font.ts'

export const PICTURE_WIDTH = 320
export const PICTURE_HEIGHT = 180
const JPEG_QUALITY = 60
const BYTES_PER_PIXEL = 4
const MARGIN = 10
const NAME_SCALE = 3
const NAME_TOP = 40
const TIME_SCALE = 2
const TIME_TOP = 100
const BAR_HEIGHT = 12
/** The bar crosses the picture once in so many shots. */
const BAR_STEPS = 20
/** Dark enough for white letters, light enough to tell streams apart. */
const BRIGHTEST_BACKGROUND = 128

type Colour = readonly [red: number, green: number, blue: number]
type Canvas = { pixels: Buffer }

const WHITE: Colour = [255, 255, 255]

/** The JPEG of one shot. */
export function drawSnapshot({ app, stream, at, sequence }: Shot): Buffer {
  const canvas = { pixels: Buffer.alloc(PICTURE_WIDTH * PICTURE_HEIGHT * BYTES_PER_PIXEL, 0xff) }
  fill(canvas, 0, 0, PICTURE_WIDTH, PICTURE_HEIGHT, backgroundOf(`${app}/${stream}`))
  write(canvas, stream, NAME_TOP, NAME_SCALE)
  write(canvas, timeLabel(at), TIME_TOP, TIME_SCALE)
  const step = PICTURE_WIDTH / BAR_STEPS
  const left = (sequence % BAR_STEPS) * step
  fill(canvas, left, PICTURE_HEIGHT - BAR_HEIGHT, step, BAR_HEIGHT, WHITE)
  const image = { data: canvas.pixels, width: PICTURE_WIDTH, height: PICTURE_HEIGHT }
  return encode(image, JPEG_QUALITY).data
}

function timeLabel(at: number): string {
  return new Date(at).toISOString().slice(0, 23).replace('T', ' ')
}

/** A colour that depends on the stream only (FNV-1a, three bytes of it). */
function backgroundOf(name: string): Colour {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  const part = (shift: number) => (hash >>> shift) % BRIGHTEST_BACKGROUND
  return [part(0), part(8), part(16)]
}

/** Writes one line, cut at the picture's edge. */
function write(canvas: Canvas, text: string, top: number, scale: number): void {
  const advance = (GLYPH_WIDTH + 1) * scale
  const room = Math.floor((PICTURE_WIDTH - 2 * MARGIN) / advance)
  for (const [index, char] of [...text].slice(0, room).entries()) {
    drawGlyph(canvas, char, MARGIN + index * advance, top, scale)
  }
}

function drawGlyph(canvas: Canvas, char: string, left: number, top: number, scale: number): void {
  const rows = glyphOf(char)
  for (let y = 0; y < GLYPH_HEIGHT; y += 1) {
    for (let x = 0; x < GLYPH_WIDTH; x += 1) {
      const isSet = ((rows[y] ?? 0) >> (GLYPH_WIDTH - 1 - x)) & 1
      if (isSet) fill(canvas, left + x * scale, top + y * scale, scale, scale, WHITE)
    }
  }
}

function fill(
  { pixels }: Canvas,
  left: number,
  top: number,
  width: number,
  height: number,
  colour: Colour,
): void {
  for (let y = top; y < top + height; y += 1) {
    for (let x = left; x < left + width; x += 1) {
      pixels.set(colour, (y * PICTURE_WIDTH + x) * BYTES_PER_PIXEL)
    }
  }
}
