// How a read operation shows a notify key. The documentation shows it plain, and a sibling's
// example shows one as a bare JSON number; anything else is a guess that clients must survive.
import type { Switches } from '../../switches.ts'

const MASKED_TAIL_CHARS = 4
const ALL_DIGITS = /^\d+$/

/** JSON.rawJSON is in Node 24 but not yet in TypeScript's library. */
const { rawJSON } = JSON as unknown as { rawJSON: (text: string) => unknown }

/** The key field of an answer, or no field at all. */
export function showKey(
  field: string,
  key: string,
  shown: Switches['key_shown'],
): Record<string, unknown> {
  switch (shown) {
    case 'plain':
      return { [field]: key }
    case 'masked':
      return { [field]: key && `****${key.slice(-MASKED_TAIL_CHARS)}` }
    case 'absent':
      return {}
    case 'number':
      return { [field]: ALL_DIGITS.test(key) ? rawJSON(String(BigInt(key))) : key }
  }
}
