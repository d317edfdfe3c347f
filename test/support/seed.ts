// The seed of tests that try random lives: a new one at each run at a desk, the same at each run that
// decides on a change (`CI`), so that such a run fails over the change and not over its luck. A failure
// prints its seed, and `SNAPHOOK_SEED=…` has the same lives again.

const SEED_WHERE_IT_DECIDES = 20_260_101
const { SNAPHOOK_SEED, CI } = process.env

export const SEED = Number(
  SNAPHOOK_SEED ?? (CI ? SEED_WHERE_IT_DECIDES : Math.floor(Math.random() * 2 ** 31)),
)
