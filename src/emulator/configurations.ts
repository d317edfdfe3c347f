// What is configured per streaming domain: the snapshot callback, the authentication of the older
// app-level callback, and the apps' snapshot templates. Field names are the API's own.
import { formatTime } from './iso-time.ts'
import { createLagged } from './lagged.ts'

export type NotifyConfig = { NotifyUrl: string; NotifyReqAuth: string; NotifyAuthKey: string }

export type CallbackAuth = { CallbackReqAuth: string; CallbackAuthKey: string }

export type AppSnapshotConfig = {
  AppName: string
  TimeInterval: number
  OssEndpoint: string
  OssBucket: string
  OverwriteOssObject: string
  SequenceOssObject: string
  Callback: string
  CreateTime: string
}

/** Where a push's callbacks go, and with which key they are signed, if any. */
export type CallbackTarget = { url: string; key: string | undefined }

/** What every domain is configured with at first, so that streams take snapshots. */
export type Storage = { endpoint: string; bucket: string; intervalSeconds: number }

const ANY_APP = '*'
/** With an open list of domains somebody could invent names for ever. */
const MAX_DOMAINS = 1000
const DOMAIN = /^(?=.{4,253}$)(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/

export type Configurations = ReturnType<typeof createConfigurations>

/** The configurations of the given domains, or of any well-formed domain when none is given. */
export function createConfigurations(options: {
  domains: readonly string[]
  /** Null: domains begin without a template, and take no snapshot. */
  storage: Storage | null
  now: () => number
  lagMs: () => number
  /** Told of each domain whose callback was written. */
  onWrite: (domain: string) => void
}) {
  const { storage, now, lagMs, onWrite } = options
  const isOpen = options.domains.length === 0
  const entries = new Map(options.domains.map((name) => [name.toLowerCase(), createEntry()]))

  function createEntry() {
    return {
      notify: createLagged<NotifyConfig>(now, lagMs),
      auth: createLagged<CallbackAuth>(now, lagMs),
      apps: new Map<string, AppSnapshotConfig>(
        storage === null ? [] : [[ANY_APP, defaultApp(storage, now())]],
      ),
    }
  }

  function entryOf(domain: string) {
    const name = domain.toLowerCase()
    const known = entries.get(name)
    if (known || !isOpen || !DOMAIN.test(name) || entries.size >= MAX_DOMAINS) return known
    const entry = createEntry()
    entries.set(name, entry)
    return entry
  }

  function appOf(domain: string, app: string): AppSnapshotConfig | undefined {
    const apps = entryOf(domain)?.apps
    return apps?.get(app) ?? apps?.get(ANY_APP)
  }

  return {
    knows: (domain: string): boolean => entryOf(domain) !== undefined,
    notify: (domain: string): NotifyConfig | undefined => entryOf(domain)?.notify.current(),
    shownNotify: (domain: string): NotifyConfig | undefined => entryOf(domain)?.notify.shown(),
    shownAuth: (domain: string): CallbackAuth | undefined => entryOf(domain)?.auth.shown(),
    appOf,
    apps: (domain: string): AppSnapshotConfig[] => [...(entryOf(domain)?.apps.values() ?? [])],
    writeNotify(domain: string, config: NotifyConfig | undefined): void {
      entryOf(domain)?.notify.write(config)
      onWrite(domain.toLowerCase())
    },
    writeAuth(domain: string, auth: CallbackAuth | undefined): void {
      entryOf(domain)?.auth.write(auth)
    },
    addApp(domain: string, app: AppSnapshotConfig): void {
      entryOf(domain)?.apps.set(app.AppName, app)
      onWrite(domain.toLowerCase())
    },
    /** The domain-level callback goes before the app's own; which one wins is not documented. */
    targetOf(domain: string, app: string): CallbackTarget | undefined {
      const notify = entryOf(domain)?.notify.current()
      if (notify?.NotifyUrl) {
        return { url: notify.NotifyUrl, key: keyIf(notify.NotifyReqAuth, notify.NotifyAuthKey) }
      }
      const url = appOf(domain, app)?.Callback
      const auth = entryOf(domain)?.auth.current()
      return url ? { url, key: keyIf(auth?.CallbackReqAuth, auth?.CallbackAuthKey) } : undefined
    },
    snapshot: () =>
      Object.fromEntries(
        [...entries].map(([domain, { notify, auth, apps }]) => [
          domain,
          {
            notify: notify.current() ?? null,
            callbackAuth: auth.current() ?? null,
            apps: [...apps.values()],
          },
        ]),
      ),
  }
}

function keyIf(reqAuth: string | undefined, key: string | undefined): string | undefined {
  return reqAuth === 'yes' ? key : undefined
}

function defaultApp(storage: Storage, now: number): AppSnapshotConfig {
  return {
    AppName: ANY_APP,
    TimeInterval: storage.intervalSeconds,
    OssEndpoint: storage.endpoint,
    OssBucket: storage.bucket,
    OverwriteOssObject: '{AppName}/{StreamName}.jpg',
    SequenceOssObject: '{AppName}/{StreamName}/{UnixTimestamp}-{Sequence}.jpg',
    Callback: '',
    CreateTime: formatTime(now),
  }
}
