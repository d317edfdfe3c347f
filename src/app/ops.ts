// The private listener, put together: health and metrics, the API over the store, the wall.
import type { Config } from '../config/config.ts'
import type { ReadinessFlow } from '../flows/readiness.ts'
import { createKnownSeqs } from '../http/api/known-seqs.ts'
import { createFeed } from '../http/feed/feed.ts'
import { createGuard } from '../http/ops/guard.ts'
import { createLaterApp } from '../http/ops/later-app.ts'
import { createOpsApp } from '../http/ops/ops-app.ts'
import { createSignIn } from '../http/ops/sign-in.ts'
import { createWallFiles } from '../http/ops/wall-files.ts'
import { createPace } from '../http/pace.ts'
import type { Clock } from '../ports/clock.ts'
import type { AuditView, RegistrationView } from '../ports/views.ts'
import type { Metrics } from '../telemetry/metrics.ts'
import { createApiAuth } from './api-tokens.ts'
import { type Overrides, withDefaults } from './overrides.ts'
import { openPictures, picturesFrom } from './pictures.ts'
import type { ReadableStore } from './stores.ts'

const WALL = new URL('../wall/', import.meta.url)

/** The app of the private listener; `feed` is to hear of commits, and of the end. */
export function createOps(
  config: Config,
  deps: {
    store: ReadableStore
    readiness: ReadinessFlow
    registrations(): readonly RegistrationView[]
    audits(): readonly AuditView[]
    metrics: Metrics
    version: string
  },
  overrides: Overrides,
) {
  const { store, readiness, registrations, audits, metrics, version } = deps
  const { log, clock } = withDefaults(overrides)
  const auth = createApiAuth(config, clock)
  const known = createKnownSeqs()
  const pace = createPace(clock)
  const feed = createFeed({
    events: store,
    clock,
    pace,
    log,
    readers: metrics.streamReaders,
    onShown: known.noteAll,
  })
  const api = createLaterApp('/v1/*', async () => {
    const { createApi } = await import('../http/api/api-app.ts')
    return createApi({
      events: store,
      streams: store,
      feed,
      known,
      clock,
      pace,
      pictures: openPictures(config, overrides),
      registrations,
      sinks: readiness.sinks,
      audits,
      now: clock.now,
      version,
      log,
    })
  })
  const app = createOpsApp({
    readiness: readiness.check,
    metrics: metrics.render,
    guard: createGuard(auth),
    api,
    signIn: createSignIn(auth, clock.now),
    wall: createWallFiles(
      WALL,
      keep(() => picturesFrom(config, store, clock.now()), clock),
    ),
    log,
  })
  return { app, feed }
}

/** The page is open to anybody: however often it is asked for, the store is asked once in a while. */
const ORIGINS_KEPT_MS = 10_000

function keep<T>(find: () => Promise<T>, { elapsed }: Clock): () => Promise<T> {
  let last: { at: number; found: Promise<T> } | undefined
  return () => {
    if (last === undefined || elapsed() - last.at >= ORIGINS_KEPT_MS) {
      last = { at: elapsed(), found: find() }
    }
    return last.found
  }
}
