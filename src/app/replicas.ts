// What a replica says to the others and hears from them; without a shared store there are none.
import { hostname } from 'node:os'
import type { Config } from '../config/config.ts'
import { keyName } from '../core/keys/key-ring.ts'
import type { KeptBy } from '../core/store-place.ts'
import type { Dispatcher } from '../flows/deliver/dispatcher.ts'
import type { RingKeeper } from '../flows/keys/key-rings.ts'
import type { Registrar } from '../flows/register/registrar.ts'
import type { Clock } from '../ports/clock.ts'
import type { Leases, ReplicaView } from '../ports/leases.ts'
import type { Log } from '../ports/log.ts'
import type { ReplicaMetrics } from '../ports/metrics.ts'
import type { AuditView, RegistrationView } from '../ports/views.ts'

/** How long the look of another replica is waited for: as long as callbacks wait for one. */
const LOOK_WAIT_MS = 2_500
const LOOK_POLL_MS = 200
/** How often all replicas together ask the owner for a look, at most. */
const ASK_INTERVAL_MS = 30_000

/** How this process is called among replicas. */
export function replicaName(): string {
  return `${hostname()} ${process.pid}`
}

export type Parts = {
  readonly dispatcher: Dispatcher
  readonly registrar: Registrar
  readonly leases: Leases
  audits(): readonly AuditView[]
  /** To be called when the log has grown. */
  notify(): void
  /** Whether somebody follows the live events here. */
  isFollowed(): boolean
}

/** What this replica says of itself, once its parts are there. */
export function viewOf({ sinks }: Config, parts: Parts | undefined): ReplicaView {
  const owned = parts?.dispatcher.progress().filter(({ isOwned }) => isOwned) ?? []
  return {
    sinks: sinks.map(({ name }) => name),
    owned: owned.map(({ name, state, problem }) => ({ sink: name, state, detail: problem })),
    ...(parts?.leases.isOwner('registrar') && { registrations: parts.registrar.views() }),
    ...(parts?.leases.isOwner('audit') && { audits: parts.audits() }),
  }
}

/** What becomes of ownership, as one story in the log and as metrics. */
export function leaseNews(log: Log, metrics: ReplicaMetrics, onAsked: (domain: string) => void) {
  return {
    onTaken(task: string) {
      metrics.taken(task)
      log.info('owner of a task from now on', { task })
    },
    onLost(task: string) {
      metrics.lost(task)
      log.warn('no longer the owner of a task: another replica may take it over', { task })
    },
    onReleased(task: string) {
      metrics.lost(task)
      log.info('a task is handed back', { task })
    },
    onPulse(peers: readonly unknown[]) {
      metrics.peers(peers.length)
    },
    onAsked,
  }
}

/** What the database makes known, or has us wait for. */
export function databaseNews(log: Log, metrics: ReplicaMetrics) {
  let kept: KeptBy = 'unknown'
  return {
    onConnection: metrics.connected,
    onDurability(now: KeptBy) {
      metrics.keptBy(now)
      if (now === 'nothing') {
        log.error('the database does not sync its disk any more: what it keeps may be lost')
      } else if (kept === 'standby') {
        log.warn('the database names no standby any more: its disk alone keeps what is answered')
      } else if (kept !== 'unknown') {
        log.info('a commit of the database is safer than before', { keptBy: now })
      }
      kept = now
    },
    onFailover(timeline: string) {
      metrics.failover()
      log.error(
        'the database has failed over: its last moments may be lost, and numbers of events have jumped',
        { timeline },
      )
    },
    onClock(offMs: number) {
      if (offMs === 0) log.info('the clock of this machine agrees with the database again')
      else {
        const seconds = Math.round(offMs / 1_000)
        log.warn('the clock of this machine is off: what is kept has times of the database', {
          seconds,
        })
      }
    },
    onHeldUp(by: string) {
      log.warn('a change of the schema is held up, trying again', { by })
    },
    onDropFailing(problem: string) {
      log.warn('what is pruned takes room for longer, since it can not be dropped yet', { problem })
    },
  }
}

/** The audits as each replica shows them: their owner's own. */
export function sharedAudits(leases: Leases, own: readonly AuditView[]): readonly AuditView[] {
  if (leases.isOwner('audit')) return own
  const owner = leases.peers().find(({ view }) => view.audits !== undefined)
  return (owner?.view.audits as readonly AuditView[] | undefined) ?? own
}

/** The registrar as each replica has it: its owner's own, else what the owner shows and does. */
export function sharedRegistrar(deps: {
  registrar: Registrar
  leases: Leases
  rings: Pick<RingKeeper, 'refresh' | 'accepted'>
  /** Asks the owner for a look, and how long ago that was; absent where the store is not shared. */
  askLook: ((domain: string) => Promise<number>) | undefined
  clock: Clock
}): Pick<Registrar, 'look' | 'isUnsure' | 'views'> {
  const { registrar, leases, rings, askLook, clock } = deps
  const looking = new Map<string, Promise<void>>()
  /** Until when it is no use to ask for another look. */
  const quietUntil = new Map<string, number>()
  /** Domains whose look was asked for and did not come: perhaps nobody owns the registrar just now. */
  const unsure = new Set<string>()
  const never = new AbortController().signal

  /** Ends with the owner's look: when that shows, or other keys do. */
  async function ask(domain: string): Promise<void> {
    const keys = keysOf(domain)
    const lookedAt = shownOf(domain)?.lookedAt
    const ago = (await askLook?.(domain)) ?? 0
    const askedAt = clock.elapsed() - ago
    const hasLooked = () => shownOf(domain)?.lookedAt !== lookedAt || keysOf(domain) !== keys
    while (!hasLooked() && clock.elapsed() < askedAt + LOOK_WAIT_MS) {
      await clock.sleep(LOOK_POLL_MS, never)
      await rings.refresh(domain)
    }
    quietUntil.set(domain, askedAt + ASK_INTERVAL_MS)
    // One that others have asked for may have ended before this replica did.
    if (hasLooked() || ago > 0) unsure.delete(domain)
    else unsure.add(domain)
  }

  function keysOf(domain: string): string {
    return rings
      .accepted(domain)
      .keys.map(({ id }) => keyName(id))
      .join()
  }

  function shownOf(domain: string): RegistrationView | undefined {
    const owner = leases.peers().find(({ view }) => view.registrations !== undefined)
    const shown = (owner?.view.registrations ?? []) as readonly RegistrationView[]
    return shown.find((view) => view.domain === domain)
  }

  return {
    look(domain) {
      if (leases.isOwner('registrar')) return registrar.look(domain)
      const under = looking.get(domain)
      if (under !== undefined) return under
      if (clock.elapsed() < (quietUntil.get(domain) ?? 0)) return undefined
      const asked = ask(domain)
        .catch(() => undefined)
        .finally(() => looking.delete(domain))
      looking.set(domain, asked)
      return asked
    },
    isUnsure: (domain) =>
      leases.isOwner('registrar') ? registrar.isUnsure(domain) : unsure.has(domain),
    views() {
      const own = registrar.views()
      if (leases.isOwner('registrar')) return own
      // Whether it can tell its callbacks is each replica's own.
      return own.map((view) => ({ ...view, ...shownOf(view.domain), keyKnown: view.keyKnown }))
    },
  }
}
