// Commands in the test's own process, against an emulated provider.
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { runCli } from '../../src/cli/cli.ts'
import type { Shell } from '../../src/cli/shell.ts'
import { type Emulator, startEmulator } from '../../src/emulator/emulator.ts'
import { testShell } from '../support/service/test-shell.ts'

export const DOMAIN = 'play.example.com'
export const ACCESS_KEY = { accessKeyId: 'cli', accessKeySecret: 'cli-secret' }
export const overrides = { credentials: { getCredentials: async () => ACCESS_KEY } }

/** Of the test that runs. */
export let folder: string
export let emulator: Emulator
export let port: number

/** To be called by a file of tests: each has an emulated provider, and a folder. */
export function setUp(): void {
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'snaphook-cli-'))
    port = await freePort()
    emulator = await startEmulator({
      ...ACCESS_KEY,
      host: '127.0.0.1',
      port: 0,
      domains: [DOMAIN],
      streams: 1,
      intervalMs: 200,
    })
  })

  afterEach(async () => {
    await emulator.stop()
    await rm(folder, { recursive: true })
  })
}

export async function freePort(): Promise<number> {
  const probe = createServer()
  await new Promise<void>((resolve) => probe.listen(0, '127.0.0.1', resolve))
  const address = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return typeof address === 'object' && address !== null ? address.port : 0
}

export const settings = (over: Record<string, string> = {}) => ({
  SNAPHOOK_PUBLIC_URL: `http://127.0.0.1:${port}`,
  SNAPHOOK_DOMAINS: DOMAIN,
  SNAPHOOK_LISTEN: `127.0.0.1:${port}`,
  SNAPHOOK_OPS_LISTEN: '127.0.0.1:0',
  SNAPHOOK_STORE: `sqlite:${join(folder, 'snaphook.db')}`,
  SNAPHOOK_LIVE_ENDPOINT: emulator.url,
  ...over,
})

export async function run(argv: string[], env = settings(), over: Partial<Shell> = {}) {
  const it = testShell(env, { overrides, ...over })
  const code = await runCli(argv, it.shell)
  return { ...it, code }
}

export function configureElsewhere(over: Record<string, string> = {}): Promise<unknown> {
  // Whatever holds the domain is not ours: another service of snaphook, with a URL of its own.
  return run(
    ['register'],
    settings({
      SNAPHOOK_PUBLIC_URL: 'https://elsewhere.example.com',
      SNAPHOOK_STORE: `sqlite:${join(folder, 'elsewhere.db')}`,
      ...over,
    }),
  )
}
