// What the parts of the store's contract share.
import type { Secret } from '../../src/core/keys/notify-key.ts'
import type { DeadLetterQuery } from '../../src/ports/dead-letters.ts'
import type { Store } from '../../src/ports/store.ts'

/** Opens the store of one place, as often as it is called; what it opens is closed when the test ends. */
export type OpenStore = (secrets?: readonly Secret[]) => Promise<Store>
/** An empty place of the test's own. */
export type NewPlace = () => OpenStore

export const DOMAIN = 'live.example.com'
export const ALL_LETTERS: DeadLetterQuery = { sink: null, limit: 100 }

export async function dead(store: Store, query = ALL_LETTERS): Promise<string[]> {
  return (await store.readDeadLetters(query)).map(({ sink, event }) => `${sink} ${event.seq}`)
}
