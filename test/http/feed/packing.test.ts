// A gzip stream out of pieces that were deflated apart: what comes out is what went in, and the checksum
// at its end is that of the whole.
import { gunzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { EVERY_EVENT } from '../../../src/core/events/event-filter.ts'
import { createPacking } from '../../../src/http/feed/packing.ts'
import { framesPage } from '../../../src/store/event-texts.ts'
import { shotOf } from '../../support/service/api-here.ts'

/** A piece as a store makes it. */
function pieceOf(name: string, seq: number) {
  const page = { events: [{ ...shotOf({ StreamName: name }), seq }], next: null, kept: KEPT }
  const [part] = framesPage(page, [{ filter: EVERY_EVENT, text: true, packed: true }]).parts
  if (!part?.packed || !part.text) throw new Error('nothing was made')
  return { packed: part.packed, text: Buffer.from(part.text).toString() }
}
const KEPT = { first: 1, last: 9 }

test('any sequence of pieces and lines is a gzip stream of them', () => {
  const piece = fc.record({ name: fc.string({ unit: 'grapheme', maxLength: 300 }), seq: fc.nat() })
  const lines = fc.string({ unit: 'grapheme', maxLength: 500 })
  fc.assert(
    fc.property(fc.array(fc.oneof(piece, lines), { maxLength: 12 }), (parts) => {
      const packing = createPacking()
      const bytes: Uint8Array[] = [packing.head]
      let text = ''
      for (const part of parts) {
        if (typeof part === 'string') {
          bytes.push(packing.lines(part))
          text += part
        } else {
          const made = pieceOf(part.name, part.seq)
          bytes.push(packing.piece(made.packed))
          text += made.text
        }
      }
      bytes.push(packing.end())
      expect(gunzipSync(Buffer.concat(bytes)).toString()).toBe(Buffer.from(text).toString())
    }),
    { numRuns: 60 },
  )
})

test('readers of the same pieces have checksums of their own', () => {
  const made = pieceOf('door', 1)
  const [a, b] = [createPacking(), createPacking()]
  const first = [a.head, a.lines('one\n'), a.piece(made.packed), a.end()]
  const second = [b.head, b.piece(made.packed), b.piece(made.packed), b.end()]
  expect(gunzipSync(Buffer.concat(first)).toString()).toBe(`one\n${made.text}`)
  expect(gunzipSync(Buffer.concat(second)).toString()).toBe(made.text + made.text)
})
