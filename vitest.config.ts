import { existsSync, statfsSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** What waits longest begins first, so that something is left to be done beside it. */
const FIRST = ['/test/e2e/audit/kill', '/test/e2e/', '/test/browser/']

/** Each PostgreSQL takes some 100 MB; in a container the place may be small. */
const ENOUGH_BYTES = 2e9

class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    const rankOf = ({ moduleId }: TestSpecification) => {
      const rank = FIRST.findIndex((part) => moduleId.includes(part))
      return rank === -1 ? FIRST.length : rank
    }
    return (await super.sort(files)).toSorted((a, b) => rankOf(a) - rankOf(b))
  }
}

/**
 * Where tests put what goes away: in memory, where there is room. What is asked of a disk is the same,
 * and nobody waits for it. A crash of a process is not one of the machine.
 */
function temporaryPlace(): string {
  const memory = '/dev/shm'
  if (!existsSync(memory)) return tmpdir()
  const { bavail, bsize } = statfsSync(memory)
  return bavail * bsize > ENOUGH_BYTES ? memory : tmpdir()
}

export default defineConfig({
  test: {
    env: { TMPDIR: temporaryPlace() },
    include: ['test/**/*.test.ts'],
    // Of waits that have shorter deadlines of their own, with labels; machines are slow at times.
    testTimeout: 60_000,
    // Fails a test that leaves something open.
    setupFiles: ['test/support/leaks.ts'],
    // So no file leaves anything behind: to load everything anew for each would cost a fifth of the time.
    isolate: false,
    // Much of a test run is waiting for processes: more at once than there are cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    restoreMocks: true,
    unstubEnvs: true,
    coverage: {
      include: ['src/**/*.ts'],
      thresholds: {
        branches: 90,
        functions: 90,
        lines: 90,
        statements: 90,
        'src/core/**': { branches: 100, functions: 100, lines: 100, statements: 100 },
      },
    },
  },
})
