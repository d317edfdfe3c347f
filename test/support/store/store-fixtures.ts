// What the tests of the stores share: folders that go away, stores, and child processes.
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { onTestFinished } from 'vitest'
import { createSeals } from '../../../src/store/sealed-rings/seal.ts'
import {
  openSqliteStore,
  type SqliteStore,
  type SqliteStoreOptions,
} from '../../../src/store/sqlite/sqlite-store.ts'
import { SECRET } from './store-events.ts'

/** A folder of this test's own, removed when the test ends. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'snaphook-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** A store that is closed when the test ends. */
export async function openStore(
  path: string,
  options: Partial<SqliteStoreOptions> = {},
): Promise<SqliteStore> {
  const seals = createSeals([SECRET])
  const store = await openSqliteStore({ path, seals, now: () => 1_700_000_000_000, ...options })
  onTestFinished(() => store.close())
  return store
}

export type Child = {
  readonly process: ChildProcess
  /** What it has printed so far. */
  readonly lines: readonly string[]
  /** The exit code, or the signal that ended it. */
  readonly ended: Promise<number | string>
}

/** Runs a command of store-child.ts; it is killed when the test ends. */
export function startChild(command: string, ...args: string[]): Child {
  const script = fileURLToPath(new URL('./store-child.ts', import.meta.url))
  const child = spawn(process.execPath, [script, command, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines: string[] = []
  createInterface(child.stdout).on('line', (line) => lines.push(line))
  const ended = once(child, 'close').then(([code, signal]) => code ?? signal)
  onTestFinished(async () => {
    child.kill('SIGKILL')
    await ended
  })
  return { process: child, lines, ended }
}
