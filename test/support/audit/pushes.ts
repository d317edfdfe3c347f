// Pushes at the emulator whose callbacks have to be accepted: each signs with the key that was in
// force when it began.
import { expect } from 'vitest'
import { DOMAIN, type Stage } from '../service/stage.ts'
import { until } from '../until.ts'

const REFUSED = 401

export function pushesOn({ emulator, configured }: Stage) {
  const streams = new Set<string>()
  let begun = 0
  const nameOf = (stream: string) => ({ domain: DOMAIN, app: 'live', stream })

  /** The answers to what was sent to a URL of ours. */
  const answersTo = (stream: string) =>
    emulator
      .state()
      .callbacks.recent.filter((sent) => sent.stream === stream && isOurs(sent.url))
      .map(({ answer }) => answer)

  return {
    /** A push begins; not where it would be unsigned, for that is refused with good reason. */
    begin(): void {
      if (configured()?.NotifyReqAuth !== 'yes') return
      const stream = `stream-${++begun}`
      emulator.startPush(nameOf(stream))
      streams.add(stream)
    },
    endAll(): void {
      for (const stream of streams) emulator.stopPush(nameOf(stream))
      streams.clear()
    },
    /** Every push takes a snapshot, and sends a callback if it is to go to us. */
    shoot(): void {
      if (!isOurs(configured()?.NotifyUrl)) return
      for (const stream of streams) emulator.shoot(nameOf(stream))
    },
    /** Waits until all callbacks are through: none was refused, and the last of each push arrived. */
    async allAccepted(label: string): Promise<void> {
      await until('all callbacks to be through', () => emulator.state().callbacks.inFlight === 0)
      const answers = [...streams].map(answersTo).filter(({ length }) => length > 0)
      expect(answers.flat(), label).not.toContain(REFUSED)
      expect(new Set(answers.map((each) => each.at(-1))), label).toEqual(
        new Set(answers.length === 0 ? [] : [200]),
      )
    },
  }
}

function isOurs(url = ''): boolean {
  return url.endsWith(`/callbacks/${DOMAIN}`)
}
