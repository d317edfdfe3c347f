// What a screen reader hears: states that change, never every shot. Several changes at once become
// one sentence.
import { byId, setText } from './dom.js'

const NAMED = 3

export function createAnnouncer() {
  const before = new Map()

  return {
    say: (sentence) => setText(byId('spoken'), sentence),
    /** Says whose state is another than at the last call. */
    states(all) {
      const changed = all.filter(({ key, state }) => before.has(key) && before.get(key) !== state)
      for (const { key, state } of all) before.set(key, state)
      if (changed.length === 0) return
      const named = changed.slice(0, NAMED).map(({ title, state }) => `${title} is ${state}`)
      const more = changed.length > NAMED ? `, and ${changed.length - NAMED} more changed` : ''
      this.say(`${named.join(', ')}${more}.`)
    },
    /** Nothing is known any more: what follows is no change. */
    forget: () => before.clear(),
  }
}
