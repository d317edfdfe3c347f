// A gzip stream (RFC 1951, 1952) of pieces that were deflated once for all readers. Each reader has its
// own head, its own short lines between the pieces, and at the end the checksum of all that it got.
import { crc32 } from 'node:zlib'
import type { Packed } from '../../ports/reading.ts'

/** Deflate, no name, no time, any system. */
const HEAD = Buffer.from([0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 0xff])
/** A last block that holds nothing. */
const LAST_BLOCK = [1, 0, 0, 0xff, 0xff]
const BLOCK_HEAD_BYTES = 5
const TRAILER_BYTES = 8

/** The bytes of one reader's stream, in the order of the calls. */
export function createPacking() {
  let crc = 0
  let size = 0

  function count(piece: Pick<Packed, 'crc' | 'size'>): void {
    crc = joinedCrc(crc, piece)
    size = (size + piece.size) >>> 0
  }

  return {
    head: HEAD,

    /** A few lines for this reader alone, as a block that is not compressed: 65,535 bytes at most. */
    lines(text: string): Buffer {
      const bytes = Buffer.from(text)
      count({ crc: crc32(bytes), size: bytes.byteLength })
      const block = Buffer.alloc(BLOCK_HEAD_BYTES + bytes.byteLength)
      block.writeUInt16LE(bytes.byteLength, 1)
      block.writeUInt16LE(bytes.byteLength ^ 0xffff, 3)
      bytes.copy(block, BLOCK_HEAD_BYTES)
      return block
    },

    /** A piece that others get as well. */
    piece(packed: Packed): Uint8Array {
      count(packed)
      return packed.bytes
    },

    end(): Buffer {
      const end = Buffer.alloc(LAST_BLOCK.length + TRAILER_BYTES)
      end.set(LAST_BLOCK)
      end.writeUInt32LE(crc, LAST_BLOCK.length)
      end.writeUInt32LE(size, LAST_BLOCK.length + 4)
      return end
    },
  }
}

/** The polynomial of CRC-32, its bits reversed. */
const POLYNOMIAL = 0xedb88320
/** x to the power of 1, 2, 4, … modulo the polynomial. */
const POWERS: number[] = [1 << 30]
for (let n = 1; n < 32; n++) POWERS.push(product(POWERS[n - 1] as number, POWERS[n - 1] as number))
/** Readers get the same piece one after the other. */
let lastShift = { size: 0, by: shiftBy(0) }

/** The checksum of a text that ended with `crc`, behind which `piece` was put: as zlib combines them. */
function joinedCrc(crc: number, piece: Pick<Packed, 'crc' | 'size'>): number {
  if (lastShift.size !== piece.size) lastShift = { size: piece.size, by: shiftBy(piece.size) }
  return (product(lastShift.by, crc) ^ piece.crc) >>> 0
}

/** What a checksum is multiplied with where `bytes` zeroes come behind it. */
function shiftBy(bytes: number): number {
  let shift = 1 << 31
  // A byte has 2³ bits.
  for (let n = 3, rest = bytes; rest > 0; n++, rest = Math.floor(rest / 2)) {
    if (rest % 2 === 1) shift = product(POWERS[n % 32] as number, shift)
  }
  return shift
}

/** Of two polynomials over GF(2), modulo that of CRC-32; the highest bit stands for x⁰. */
function product(a: number, b: number): number {
  let sum = 0
  for (let bit = 31, term = b; bit >= 0; bit--) {
    if ((a >>> bit) & 1) sum ^= term
    term = term & 1 ? (term >>> 1) ^ POLYNOMIAL : term >>> 1
  }
  return sum
}
