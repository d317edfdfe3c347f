// Replicas with stores of their own around one provider, and what is promised of them. The promises
// are judged by what happened at the provider and in each store, not by what a replica believes.
import { expect } from 'vitest'
import { type KeyId, keyName, keyText, sameKey } from '../../src/core/keys/key-ring.ts'
import { createKeySearch, isUsableKey, type Secret } from '../../src/core/keys/notify-key.ts'
import type { Observed } from '../../src/core/registration/observation.ts'
import type { LiveApi } from '../../src/ports/live-api.ts'
import { fakeApi } from '../support/flows/flow-fakes.ts'
import { manualClock } from '../support/flows/manual-clock.ts'
import { createSteps, type Side } from '../support/registration/steps.ts'
import { memoryStore } from '../support/store/memory-store.ts'
import {
  DOMAIN,
  INTERVAL_MS,
  NEW,
  OLD,
  OUR_URL,
  registration,
} from './register/registration-fixture.ts'

const REPLICAS = 3
export const GRACE_SECONDS = 900
/** Uses of keys are written back this often: a crash may lose those since. */
const WRITE_BACK_MS = 60_000
/** How often a callback may ask for a look. */
const ASKED_LOOK_MS = 30_000
const GENERATIONS_BACK = 2
const HOUR_MS = 3_600_000
const NEVER = new Promise<never>(() => {})

type Secrets = [Secret, Secret]
type Derived = Extract<KeyId, { kind: 'derived' }>
type Replica = Awaited<ReturnType<typeof startReplica>>
type Store = ReturnType<typeof createStore>
export type World = Awaited<ReturnType<typeof createWorld>>

const searchAll = createKeySearch([NEW, OLD])
const found = new Map<string, ReturnType<typeof searchAll>>()

/** A search that finds nothing costs a thousand hashes; there are few keys here. */
function search(key: string): ReturnType<typeof searchAll> {
  if (!found.has(key)) found.set(key, searchAll(key, DOMAIN))
  return found.get(key)
}

/** The key that an observation shows, or null. */
function keyOf(observed: Observed | undefined): KeyId | null {
  if (observed?.kind !== 'present' || observed.key === null || !isUsableKey(observed.key))
    return null
  const ours = search(observed.key)
  return ours ? { kind: 'derived', ...ours } : { kind: 'foreign', key: observed.key }
}

/** The key in force where the registration is ours, or null. */
function keyInForce(observed: Observed | undefined): KeyId | null {
  const isOurs = observed?.kind === 'present' && observed.url === OUR_URL && observed.auth
  return isOurs ? keyOf(observed) : null
}

/** A store, with a record of each key that it has seen, and when that was last used or in force. */
function createStore(now: () => number) {
  const store = memoryStore()
  const seen = new Map<string, { id: KeyId; usedAt: number }>()
  let current: KeyId | null = null
  let uses: { id: KeyId; at: number }[] = []
  const touch = (id: KeyId, at: number) => seen.set(keyName(id), { id, usedAt: at })
  const saveRing = store.saveRing
  store.saveRing = async (domain, ring, revision) => {
    const saved = await saveRing(domain, ring, revision)
    if (saved === null) return null
    for (const { id } of ring.keys) if (!seen.has(keyName(id))) touch(id, now())
    for (const id of [current, ring.current]) if (id !== null) touch(id, now())
    current = ring.current
    return saved
  }
  return Object.assign(store, {
    noteSeen: (id: KeyId) => touch(id, now()),
    noteUse: (id: KeyId) => uses.push({ id, at: now() }),
    /** The uses that are not yet written back are lost. */
    crash() {
      uses = uses.filter(({ at }) => now() - at > WRITE_BACK_MS)
    },
    /** The keys seen in force or used within the grace time. */
    owed(): KeyId[] {
      const usedAt = ({ id, usedAt }: { id: KeyId; usedAt: number }) => {
        const used = uses.filter((use) => sameKey(use.id, id)).map(({ at }) => at)
        return Math.max(usedAt, ...used)
      }
      const isOwed = (key: { id: KeyId; usedAt: number }) =>
        sameKey(key.id, current) || now() - usedAt(key) < GRACE_SECONDS * 1_000
      return [...seen.values()].filter(isOwed).map(({ id }) => id)
    },
  })
}

async function startReplica(world: {
  clock: ReturnType<typeof manualClock>
  provider: ReturnType<typeof fakeApi>
  store: Store
  secrets: Secrets
  takeover: boolean
}) {
  const { clock, provider, store, secrets, takeover } = world
  const death = { side: 'after' as Side, stepsLeft: Infinity }
  const steps = createSteps((_, side) => {
    if (side === death.side && death.stepsLeft > 0) death.stepsLeft -= 1
    return death.stepsLeft > 0 ? undefined : NEVER
  })
  let shown: Observed | undefined
  let asked = false
  let written = ''
  const forKeysAlone: string[] = []
  const api: LiveApi = {
    ...provider.api,
    async describe(...call) {
      shown = await provider.api.describe(...call)
      return shown
    },
    update(domain, given, signal) {
      const found = keyInForce(shown)
      const isOld = found?.kind === 'derived' && found.secret !== secrets[0].fingerprint
      const isPlanned = asked || isOld || given.key === written
      if (found !== null && !isPlanned) forKeysAlone.push(keyName(found))
      if (found !== null && !isOld) asked = false
      written = given.key
      const overwritten = keyOf(shown)
      if (overwritten !== null) store.noteSeen(overwritten)
      return provider.api.update(domain, given, signal)
    },
  }
  const replica = await registration({
    clock,
    provider,
    store,
    secrets,
    takeover,
    api,
    steps,
    graceSeconds: GRACE_SECONDS,
    alone: true,
  })
  await replica.start()
  return {
    ...replica,
    store,
    forKeysAlone,
    isDead: () => death.stepsLeft <= 0,
    /** Dies before or after the given step from now, or at once. */
    die: (stepsLeft = 0, side: Side = 'before') => Object.assign(death, { stepsLeft, side }),
    rotate() {
      asked = true
      replica.registrar.rotate(DOMAIN)
    },
  }
}

export async function createWorld(takeover: boolean) {
  const clock = manualClock(undefined, 1)
  const provider = fakeApi(clock.now)
  const stores = Array.from({ length: REPLICAS }, () => createStore(clock.now))
  const replicas: Replica[] = []
  const inForceEver = new Map<string, Derived>()
  let secrets: Secrets = [NEW, OLD]
  const { configurations } = provider
  const set = configurations.set.bind(configurations)
  configurations.set = (domain, observed) => {
    const id = keyInForce(observed)
    if (id?.kind === 'derived') inForceEver.set(keyName(id), id)
    return set(domain, observed)
  }

  async function restart(index: number): Promise<void> {
    const before = replicas[index]
    if (before?.isDead()) before.store.crash()
    else await before?.[Symbol.asyncDispose]()
    const store = stores[index] as Store
    replicas[index] = await startReplica({ clock, provider, store, secrets, takeover })
  }

  /** The keys of our secrets within two generations of the one in force, as far as they were that. */
  function recentKeys(): Derived[] {
    const now = keyInForce(configurations.get(DOMAIN))
    if (now?.kind !== 'derived') return []
    const back = ({ generation }: Derived) => now.generation - generation
    return [...inForceEver.values()].filter((id) => back(id) >= 0 && back(id) <= GENERATIONS_BACK)
  }

  /** Whether a replica needs no look: it has seen every rotation but the last. */
  function isUpToDate(replica: Replica): boolean {
    const now = keyInForce(configurations.get(DOMAIN))
    const known = replica.view()?.generation ?? -1
    return now?.kind === 'derived' && known >= 0 && [0, 1].includes(now.generation - known)
  }

  async function accepts(replica: Replica, id: KeyId): Promise<void> {
    const outcome = await replica.callback(keyText(id, [NEW, OLD], DOMAIN) as string)
    // Every body is the same, and so a duplicate within one second.
    expect(['accepted', 'duplicate'], keyName(id)).toContain(outcome)
    replica.store.noteUse(id)
  }

  const world = {
    clock,
    provider,
    replicas,
    restart,
    set: (observed: Observed) => configurations.set(DOMAIN, observed),
    configured: () => configurations.get(DOMAIN),
    writes: () => provider.count('add') + provider.count('update'),
    async crash(index: number, stepsLeft: number, side: Side): Promise<void> {
      replicas[index]?.die(stepsLeft, side)
      await clock.advance(INTERVAL_MS)
      replicas[index]?.die()
      await restart(index)
    },
    async loseDisk(index: number): Promise<void> {
      stores[index] = createStore(clock.now)
      await restart(index)
    },
    /** The other secret is put first, at one replica after the other. */
    async exchangeSecrets(): Promise<void> {
      secrets = [secrets[1], secrets[0]]
      for (const index of replicas.keys()) await restart(index)
    },
    /** Callbacks are accepted with every key that they have to be accepted with. */
    async callbacksAreAccepted(): Promise<void> {
      await clock.advance(ASKED_LOOK_MS)
      for (const replica of replicas) {
        const looks = provider.count('describe')
        const needsLook = !isUpToDate(replica)
        if (!needsLook || !provider.isTroubled()) {
          for (const id of recentKeys()) await accepts(replica, id)
        }
        if (!needsLook) expect(provider.count('describe')).toBe(looks)
        for (const id of replica.store.owed()) await accepts(replica, id)
      }
    },
    async converges(): Promise<void> {
      provider.calm()
      await clock.advance(3 * INTERVAL_MS)
      const isContested = replicas.some((it) => it.view()?.state === 'contested')
      // What the edits looked like to it has to run out as well.
      if (isContested) await clock.advance(3 * HOUR_MS)
      const writes = world.writes()
      const found = world.configured()
      const isOurs = found?.kind === 'present' && found.url === OUR_URL
      if (takeover) expect(isOurs).toBe(true)
      if (isOurs) expect(found).toMatchObject({ auth: true })
      for (const { view } of replicas) {
        expect(view()).toMatchObject(
          isOurs ? { state: 'in_sync', detail: null, keyKnown: true } : { state: 'conflict' },
        )
      }
      await clock.advance(3 * INTERVAL_MS)
      expect(world.writes()).toBe(writes)
    },
    noWriteForKeysAlone(): void {
      expect(replicas.flatMap(({ forKeysAlone }) => forKeysAlone)).toEqual([])
    },
    async [Symbol.asyncDispose](): Promise<void> {
      for (const replica of replicas) if (!replica.isDead()) await replica[Symbol.asyncDispose]()
    },
  }
  for (let index = 0; index < REPLICAS; index++) await restart(index)
  return world
}
