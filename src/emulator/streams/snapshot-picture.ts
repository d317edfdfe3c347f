// Draws the picture of a snapshot: a real JPEG of a small landscape in the stream's colours, with the
// stream's name and the time on it. Its sun moves with each shot, so that change is seen from afar.
import { encode } from 'jpeg-js'
import type { Shot } from './archive.ts'
import { GLYPH_HEIGHT, GLYPH_WIDTH, glyphOf } from './bitmap-font.ts'

export const PICTURE_WIDTH = 320
export const PICTURE_HEIGHT = 180
const JPEG_QUALITY = 70
const BYTES_PER_PIXEL = 4
const MARGIN = 10
const NAME_SCALE = 3
const NAME_TOP = 12
const TIME_SCALE = 2
const TIME_TOP = 156
/** The sun crosses the picture once in this many shots. */
const SUN_STEPS = 30
const SUN_RADIUS = 16
const SUN_TOP = 54
/** Hills, the far ones first: their mean height, how much they rise, how wide they are, how dark. */
const HILLS = [
  { mean: 95, rise: 18, width: 46, light: 0.62 },
  { mean: 118, rise: 14, width: 31, light: 0.42 },
  { mean: 146, rise: 8, width: 19, light: 0.24 },
] as const

type Colour = readonly [red: number, green: number, blue: number]
type Canvas = { pixels: Buffer }

const WHITE: Colour = [255, 255, 255]

/** The JPEG of one shot. */
export function drawSnapshot({ app, stream, at, sequence }: Shot): Buffer {
  const canvas = { pixels: Buffer.alloc(PICTURE_WIDTH * PICTURE_HEIGHT * BYTES_PER_PIXEL, 0xff) }
  const hash = hashOf(`${app}/${stream}`)
  drawLandscape(canvas, hash, sequence + hash)
  write(canvas, stream, NAME_TOP, NAME_SCALE)
  write(canvas, timeLabel(at), TIME_TOP, TIME_SCALE)
  const image = { data: canvas.pixels, width: PICTURE_WIDTH, height: PICTURE_HEIGHT }
  return encode(image, JPEG_QUALITY).data
}

function drawLandscape(canvas: Canvas, hash: number, step: number): void {
  const hue = hash % 360
  const sun: Colour = [255, 236, 190]
  const sunX = ((step % SUN_STEPS) / SUN_STEPS) * PICTURE_WIDTH
  const sky = Array.from({ length: PICTURE_HEIGHT }, (_, y) =>
    colourOf(hue + y / 4, 0.3 + y / PICTURE_HEIGHT / 3),
  )
  const hills = HILLS.map(({ light }) => colourOf(hue + 40, light * 0.45))
  for (let x = 0; x < PICTURE_WIDTH; x += 1) {
    const tops = HILLS.map(
      ({ mean, rise, width }, index) =>
        mean -
        rise * Math.sin(x / width + hash / (index + 7)) -
        rise * 0.4 * Math.sin(x / 11 + hash),
    )
    for (let y = 0; y < PICTURE_HEIGHT; y += 1) {
      const nearest = tops.findLastIndex((top) => y >= top)
      const isSun = (x - sunX) ** 2 + (y - SUN_TOP) ** 2 < SUN_RADIUS ** 2
      setPixel(canvas, x, y, hills[nearest] ?? (isSun ? sun : (sky[y] ?? WHITE)))
    }
  }
}

function timeLabel(at: number): string {
  return new Date(at).toISOString().slice(0, 23).replace('T', ' ')
}

/** FNV-1a, with its bits mixed: names that differ in one digit differ in colour. */
function hashOf(name: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0
  return Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d) >>> 7
}

/** Of a hue in degrees and a lightness from 0 to 1, muted as a camera shows it. */
function colourOf(hue: number, lightness: number): Colour {
  const chroma = 0.45 * Math.min(lightness, 1 - lightness)
  const part = (shift: number) => {
    const k = (shift + hue / 30) % 12
    return Math.round(255 * (lightness - chroma * Math.max(-1, Math.min(k - 3, 9 - k, 1))))
  }
  return [part(0), part(8), part(4)]
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
      if (isSet) fill(canvas, left + x * scale, top + y * scale, scale, WHITE)
    }
  }
}

function fill(canvas: Canvas, left: number, top: number, size: number, colour: Colour): void {
  for (let y = top; y < top + size; y += 1) {
    for (let x = left; x < left + size; x += 1) setPixel(canvas, x, y, colour)
  }
}

function setPixel({ pixels }: Canvas, x: number, y: number, colour: Colour): void {
  pixels.set(colour, (y * PICTURE_WIDTH + x) * BYTES_PER_PIXEL)
}
