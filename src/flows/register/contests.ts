// Keeps count, in the ring, of how often somebody else overwrites what was ours; see `core/contest.ts`.
import {
  afterDrift,
  afterOurs,
  afterWrite,
  type Contest,
  isHeld,
} from '../../core/registration/contest.ts'
import type { Clock } from '../../ports/clock.ts'
import type { RingKeeper } from '../keys/key-rings.ts'

export function createContests({ rings, clock }: { rings: RingKeeper; clock: Clock }) {
  async function note(
    domain: string,
    after: (contest: Contest, now: number) => Contest,
  ): Promise<Contest> {
    const { contest } = await rings.change(domain, (ring, { now }) => {
      const noted = after(ring.contest, now)
      return noted === ring.contest ? ring : { ...ring, contest: noted }
    })
    return contest
  }

  const isHeldNow = (contest: Contest) => isHeld(contest, clock.now())

  return {
    /**
     * Notes that somebody else's value was seen, unless that is counted already: once for all tries
     * to write ours again. Returns whether nothing may be written now.
     */
    async drifted(domain: string, isCounted: boolean): Promise<boolean> {
      return isHeldNow(isCounted ? rings.ring(domain).contest : await note(domain, afterDrift))
    },
    /** Notes that our value was seen. Returns whether it has not yet stood for long enough. */
    async seenOurs(domain: string): Promise<boolean> {
      return (await note(domain, afterOurs)).heldAt !== null
    },
    async written(domain: string): Promise<void> {
      await note(domain, afterWrite)
    },
  }
}
