import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // Of waits that have shorter deadlines of their own, with labels; machines are slow at times.
    testTimeout: 60_000,
    // Fails a test that leaves something open.
    setupFiles: ['test/support/leaks.ts'],
    // So no file leaves anything behind: to load everything anew for each would cost a fifth of the time.
    isolate: false,
    // Much of a test run is waiting for processes: as many at once as there are cores, and one.
    maxWorkers: 3,
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
