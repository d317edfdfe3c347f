// The system's clock, moved ahead by hand: what takes minutes is then a matter of moments.
import { systemClock } from '../../src/app/system-clock.ts'
import type { Clock } from '../../src/ports/clock.ts'

export function shiftedClock(): Clock & { shift(ms: number): void } {
  let ahead = 0
  return {
    ...systemClock,
    now: () => systemClock.now() + ahead,
    elapsed: () => systemClock.elapsed() + ahead,
    shift(ms) {
      ahead += ms
    },
  }
}
