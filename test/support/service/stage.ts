// A stage for end-to-end tests: an emulated provider, a public URL, a folder, and services on it.
// Everything that was put on the stage is gone at the end of an `await using` block.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { notifyKey, secretFrom } from '../../../src/core/keys/notify-key.ts'
import type { EmulatorOptions } from '../../../src/emulator/emulator.ts'
import type { Readiness } from '../../../src/ports/views.ts'
import { clientOf, DOMAIN, emulate } from '../../emulator/support.ts'
import { until } from '../until.ts'
import { type Exposition, readExposition } from './exposition.ts'
import { openFront } from './front.ts'
import { type SnaphookProcess, startSnaphook } from './snaphook-process.ts'

export { DOMAIN } from '../../emulator/support.ts'

export const SECRET = Buffer.alloc(32, 'the secret of the tests').toString('base64url')
/** Halves what a start costs; without it twenty children at once would be slow. */
const COMPILE_CACHE = fileURLToPath(
  new URL('../../../node_modules/.cache/snaphook-tests', import.meta.url),
)

const SENDER_TIMEOUT_MS = 5_000

export type Settings = Readonly<Record<string, string>>
export type Stage = Awaited<ReturnType<typeof setStage>>
export type LogLine = { level: string; msg: string } & Record<string, unknown>

/** What tests need of a running service, wherever it runs. */
export type Running = {
  /** The URL of the private listener. */
  readonly ops: string
  /** The URL of the public listener, not the public URL. */
  readonly callbacks: string
  events(): SnapshotCloudEvent[]
  log(): LogLine[]
}
export type Serving = SnaphookProcess & Running

/** The key that a domain has under a secret of the tests. */
export function keyOf(generation: number, { domain = DOMAIN, secret = SECRET } = {}): string {
  return notifyKey(secretFrom(Buffer.from(secret, 'base64url')), domain, generation)
}

/** `settings` are those of all that is started on it. */
export async function setStage(options: Partial<EmulatorOptions> = {}, settings: Settings = {}) {
  // The provider's own time-out: a service on a loaded machine may take longer than the short one.
  const emulator = await emulate({ senderTimeoutMs: SENDER_TIMEOUT_MS, ...options })
  const front = await openFront()
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-e2e-'))
  const processes: SnaphookProcess[] = []
  const { accessKeyId = 'testid', accessKeySecret = 'testsecret', domains = [DOMAIN] } = options
  const base: Settings = {
    PATH: process.env.PATH ?? '',
    HOME: folder,
    NODE_COMPILE_CACHE: COMPILE_CACHE,
    ALIBABA_CLOUD_ACCESS_KEY_ID: accessKeyId,
    ALIBABA_CLOUD_ACCESS_KEY_SECRET: accessKeySecret,
    SNAPHOOK_PUBLIC_URL: front.url,
    SNAPHOOK_DOMAINS: domains.join(),
    SNAPHOOK_LISTEN: '127.0.0.1:0',
    SNAPHOOK_OPS_LISTEN: '127.0.0.1:0',
    SNAPHOOK_STORE: `sqlite:${folder}/store/snaphook.db`,
    SNAPHOOK_SECRET: SECRET,
    SNAPHOOK_LIVE_ENDPOINT: emulator.url,
    ...settings,
  }

  function run(
    args: readonly string[],
    settings: Settings = {},
    more: Omit<Parameters<typeof startSnaphook>[1], 'env' | 'cwd'> = {},
  ): SnaphookProcess {
    const child = startSnaphook(args, { env: { ...base, ...settings }, cwd: folder, ...more })
    processes.push(child)
    return child
  }

  return {
    emulator,
    /** The provider's own client, for what somebody does by hand. */
    call: clientOf(emulator, { accessKeyId, accessKeySecret }),
    front,
    folder,
    storePath: `${folder}/store/snaphook.db`,
    settings: base,
    callbackUrl: (domain = DOMAIN) => `${front.url}/callbacks/${domain}`,
    /** The settings that give a service a store of its own. */
    ownStore: (name: string): Settings => ({ SNAPHOOK_STORE: `sqlite:${folder}/${name}/s.db` }),
    /** Starts a command. */
    run,
    /** Starts a command and waits for its end. */
    async finish(...start: Parameters<typeof run>) {
      const child = run(...start)
      const code = await child.ended
      return { code, stdout: child.stdout.text(), stderr: child.stderr.text() }
    },
    /** Starts `serve`, waits until it listens, and leads the public URL there. */
    async serve(settings: Settings = {}, wrapper: readonly string[] = []): Promise<Serving> {
      const child = run(['serve'], settings, { wrapper })
      const service = await listening(child)
      front.lead(service.callbacks)
      return service
    },
    /** What the provider holds for a domain. */
    configured: (domain = DOMAIN) => emulator.state().configurations[domain]?.notify ?? null,
    /** How often an operation was called, by its short name. */
    calls: (name: 'Describe' | 'Add' | 'Update') =>
      emulator.state().api.byOperation[`${name}LiveSnapshotNotifyConfig`] ?? 0,
    async [Symbol.asyncDispose](): Promise<void> {
      await Promise.all(processes.map((child) => child[Symbol.asyncDispose]()))
      await emulator.stop()
      await front[Symbol.asyncDispose]()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Waits until a `serve` that was started listens. */
export async function listening(child: SnaphookProcess): Promise<Serving> {
  const log = () => parsed<LogLine>(child.stderr.lines)
  const line = await until('the service to listen', () => {
    if (child.hasEnded()) throw new Error(`serve ended: ${child.stderr.text()}`)
    return log().find(({ msg }) => msg === 'listening')
  })
  const { ops, callbacks } = line as unknown as { ops: string; callbacks: string }
  const events = () => parsed<SnapshotCloudEvent>(child.stdout.lines)
  return Object.assign(child, { ops, callbacks, events, log })
}

function parsed<T>(lines: readonly string[]): T[] {
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as T)
}

export async function readiness({ ops }: Running): Promise<Readiness & { status: number }> {
  const response = await fetch(`${ops}/readyz`)
  return { ...((await response.json()) as Readiness), status: response.status }
}

/** Waits until every domain's registration is in the given state. */
export async function settled(service: Running, state = 'in_sync'): Promise<Readiness> {
  return until(`all registrations to be ${state}`, async () => {
    const now = await readiness(service)
    return now.registrations.every((each) => each.state === state) && now
  })
}

export async function metricsOf({ ops }: Running): Promise<Exposition> {
  return readExposition(await (await fetch(`${ops}/metrics`)).text())
}
