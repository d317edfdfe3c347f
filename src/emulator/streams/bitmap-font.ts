// A 5 × 7 bitmap font for labels: seven rows a glyph, each row five bits written as one base-32
// digit. Lower-case letters are drawn as capitals, unknown characters as a box.

export const GLYPH_WIDTH = 5
export const GLYPH_HEIGHT = 7

const BASE = 32
const BOX = 'vhhhhhv'

const GLYPHS: Readonly<Record<string, string>> = {
  A: 'ehhvhhh',
  B: 'uhhuhhu',
  C: 'ehggghe',
  D: 'uhhhhhu',
  E: 'vgguggv',
  F: 'vgguggg',
  G: 'ehgnhhf',
  H: 'hhhvhhh',
  I: 'e44444e',
  J: '72222ic',
  K: 'hikokih',
  L: 'ggggggv',
  M: 'hrllhhh',
  N: 'hpljhhh',
  O: 'ehhhhhe',
  P: 'uhhuggg',
  Q: 'ehhhlid',
  R: 'uhhukih',
  S: 'fgge11u',
  T: 'v444444',
  U: 'hhhhhhe',
  V: 'hhhhha4',
  W: 'hhhllrh',
  X: 'hha4ahh',
  Y: 'hha4444',
  Z: 'v1248gv',
  0: 'ehjlphe',
  1: '4c4444e',
  2: 'eh168gv',
  3: 'eh161he',
  4: '26aiv22',
  5: 'vgu11he',
  6: '68guhhe',
  7: 'v124888',
  8: 'ehhehhe',
  9: 'ehhf12c',
  ' ': '0000000',
  '-': '000v000',
  _: '000000v',
  ':': '0cc0cc0',
  '.': '00000cc',
  '/': '01248g0',
}

/** The glyph of a character as rows of bits, the leftmost pixel in the highest bit. */
export function glyphOf(char: string): number[] {
  const rows = GLYPHS[char.toUpperCase()] ?? BOX
  return [...rows].map((digit) => Number.parseInt(digit, BASE))
}
