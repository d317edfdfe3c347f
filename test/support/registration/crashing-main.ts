// Makes one change of a registration with the real service or command, and kills itself at one of
// its steps: `node crashing-main.ts <command> [<step> <side>]`, such as `rotate "update 1" after`.
// Prints the steps that it takes.
import { writeSync } from 'node:fs'
import type { Overrides } from '../../../src/app/overrides.ts'
import { systemClock } from '../../../src/app/system-clock.ts'
import { createLiveApi } from '../../../src/cloud/live-api.ts'
import { readConfig } from '../../../src/config/config.ts'
import { openSqliteStore } from '../../../src/store/sqlite/sqlite-store.ts'
import { createSteps } from './steps.ts'

const STDOUT = 1

const [command, fatalStep, fatalSide] = process.argv.slice(2)
const { env } = process
const read = readConfig(env, String)
if (!read.ok) throw new TypeError(read.problems.join('\n'))
const config = read.value
const { signal } = new AbortController()
const registered = Promise.withResolvers<void>()

const api = createLiveApi({
  endpoint: config.liveEndpoint,
  credentials: {
    getCredentials: async () => ({
      accessKeyId: env.ALIBABA_CLOUD_ACCESS_KEY_ID ?? '',
      accessKeySecret: env.ALIBABA_CLOUD_ACCESS_KEY_SECRET ?? '',
    }),
  },
  clock: systemClock,
  onCall: () => undefined,
})
const steps = createSteps((step, side) => {
  if (step === fatalStep && side === fatalSide) process.kill(process.pid, 'SIGKILL')
  if (side === 'before') writeSync(STDOUT, `${step}\n`)
})
const world: Overrides = {
  log: {
    debug() {},
    info: (message) => void (message === 'registered' && registered.resolve()),
    warn() {},
    error: (message, fields) => void process.stderr.write(`${message} ${JSON.stringify(fields)}\n`),
  },
  stdout: process.stdout,
  api: steps.told(api),
  openStore: (options) =>
    steps.take('openStore', async () => steps.told(await openSqliteStore(options))),
}

// Each life loads only what it needs: there are many of them.
switch (command) {
  case 'serve': {
    const { createService } = await import('../../../src/app/service.ts')
    await createService(config, world).start(signal)
    await registered.promise
    break
  }
  case 'rotate': {
    const { rotateAll } = await import('../../../src/admin/register.ts')
    await rotateAll(config, world, config.domains, signal)
    break
  }
  case 'deregister': {
    const { deregisterAll } = await import('../../../src/admin/deregister.ts')
    await deregisterAll(config, world, signal)
    break
  }
}
process.exit()
