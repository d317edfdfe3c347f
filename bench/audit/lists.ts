// A log of streams with a shot each five seconds, and the provider that lists all of them: for the
// benches of the audit.
import { DatabaseSync } from 'node:sqlite'
import type { ListedShot } from '../../src/core/audit/shots.ts'
import type { SnapshotLists } from '../../src/ports/audit.ts'
import { migrate } from '../../src/store/sqlite/worker/migrate.ts'

export const SHOT_EVERY_MS = 5_000
export const START = Date.parse('2026-01-02T03:00:00Z')

/** Streams of a domain that took shots for so long, and which of their callbacks were lost. */
export type Shots = {
  readonly domain: string
  readonly streams: number
  readonly lengthMs: number
  /** One in so many is lost; 0: none. In SQL, of `n`, the number of the shot of a stream. */
  readonly everyLost: string
}

/** Writes them into the store at `path` as a service would have over that time, only faster. */
export function writeLog(path: string, { domain, streams, lengthMs, everyLost }: Shots): void {
  const db = new DatabaseSync(path)
  try {
    db.exec('pragma journal_mode = off; pragma synchronous = off; pragma cache_size = -100000')
    migrate(db, path)
    const trigger = db
      .prepare("select sql from sqlite_schema where name = 'events_counted'")
      .get()?.sql
    db.exec('begin; drop trigger events_counted')
    const { changes } = db
      .prepare(`
      with recursive
        shots (n) as (select 0 union all select n + 1 from shots where n + 1 < ?1),
        streams (s) as (select 0 union all select s + 1 from streams where s + 1 < ?2)
      insert into events (id, occurred_at, domain, origin, received_at, body)
      select randomblob(32), at, ?3, 'callback', at + 200, cast(
        '{"DomainName":"' || ?3 || '","AppName":"live","StreamName":"s' || s
        || '","OssEndpoint":"oss-cn-shanghai.aliyuncs.com","OssBucket":"pictures","OssObject":"live/s'
        || s || '/' || at || '.jpg","CreateTimestamp":' || at || '}' as blob)
      from (
        select n, s, ?4 + n * ${SHOT_EVERY_MS} + cast(s * ${SHOT_EVERY_MS} / ?2 as integer) as at
        from shots, streams
        where ${everyLost} = 0 or (n * 31 + s * 7919) % ${everyLost} > 0
      ) order by n, s
    `)
      .run(lengthMs / SHOT_EVERY_MS, streams, domain, START)
    db.prepare("update counters set value = ? where name = 'events'").run(changes)
    db.exec(`${trigger}; commit`)
  } finally {
    db.close()
  }
}

/** A provider that lists all of it at once, and counts pages as calls. */
export function listsOf({ streams, lengthMs }: Shots, calls: { pushes: number; shots: number }) {
  const pushes = Array.from({ length: streams }, (_, stream) => ({
    ...{ app: 'live', stream: `s${stream}`, from: START - 1, until: null },
  }))
  const lists: SnapshotLists = {
    async pushes() {
      calls.pushes += 1
      return pushes
    },
    async shots({ stream }, { from, until }) {
      const number = Number(stream.slice(1))
      const begun = START + Math.floor((number * SHOT_EVERY_MS) / streams)
      const first = Math.max(0, Math.ceil((from - begun) / SHOT_EVERY_MS))
      const last = Math.min(until, START + lengthMs)
      const shots: ListedShot[] = []
      for (let at = begun + first * SHOT_EVERY_MS; at < last; at += SHOT_EVERY_MS) {
        shots.push({
          ...{ at, object: `live/${stream}/${at}.jpg`, bucket: 'pictures', isOverlay: false },
          ...{ endpoint: null, createTime: null, createTimestamp: at },
        })
      }
      calls.shots += Math.max(1, Math.ceil(shots.length / 100))
      return shots
    },
  }
  return lists
}
