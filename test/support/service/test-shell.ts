// The process as a command sees it, in memory.
import type { Shell } from '../../../src/cli/shell.ts'
import type { Environment } from '../../../src/config/environment.ts'
import { keptLog } from '../flows/flow-fakes.ts'
import { openStoreHere } from '../store/store-here.ts'

export function testShell(env: Environment = {}, over: Partial<Shell> = {}) {
  const printed: string[] = []
  const errors: string[] = []
  const events: string[] = []
  const stopping = new AbortController()
  const log = keptLog()
  const stdout = {
    write(line: string, done?: () => void) {
      events.push(...line.trimEnd().split('\n'))
      done?.()
      return true
    },
    on: () => stdout,
  }
  const shell: Shell = {
    env,
    stdout: stdout as unknown as Shell['stdout'],
    print: (text) => printed.push(text),
    error: (text) => errors.push(text),
    readStdin: async () => new TextEncoder().encode('from standard input'),
    readFile: () => {
      throw new Error('no such file')
    },
    readBytes: () => Promise.reject(new Error('no such file')),
    createLog: () => log,
    signal: stopping.signal,
    ...over,
    overrides: { openStore: openStoreHere, ...over.overrides },
  }
  return {
    shell,
    log,
    events,
    stop: () => stopping.abort(),
    printed: () => printed.join('\n'),
    errors: () => errors.join('\n'),
  }
}
