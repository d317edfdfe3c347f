// The real service inside the test's own process: for tables whose rows would each cost a process.

import type { Overrides } from '../../../src/app/overrides.ts'
import { createService } from '../../../src/app/service.ts'
import { readConfig } from '../../../src/config/config.ts'
import type { SnapshotCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { keptLog } from '../flows/flow-fakes.ts'
import { openStoreHere } from '../store/store-here.ts'
import type { LogLine, Running, Settings, Stage } from './stage.ts'

/** The settings of a stage, read as the command reads them. */
export function configOf(stage: Stage, settings: Settings = {}) {
  const config = readConfig({ ...stage.settings, ...settings }, String)
  if (!config.ok) throw new TypeError(config.problems.join('\n'))
  return config.value
}

/** Credentials, a log and an output that are kept, and stores without a thread, for a service on a stage. */
export function keptWorld({ settings }: Stage) {
  const log = keptLog()
  let printed = ''
  const stdout = {
    write(text: string, done: () => void): boolean {
      printed += text
      done()
      return true
    },
    on: () => stdout,
  } as unknown as Overrides['stdout']
  const credentials = {
    getCredentials: async () => ({
      accessKeyId: settings.ALIBABA_CLOUD_ACCESS_KEY_ID ?? '',
      accessKeySecret: settings.ALIBABA_CLOUD_ACCESS_KEY_SECRET ?? '',
    }),
  }
  return {
    world: { log, stdout, credentials, openStore: openStoreHere },
    log,
    printed: () => printed,
  }
}

/** Starts a service and leads the public URL there; it stops at the end of the block. */
export async function serveHere(
  stage: Stage,
  settings: Settings = {},
  overrides: Partial<Overrides> = {},
): Promise<Running & AsyncDisposable> {
  const { world, log, printed } = keptWorld(stage)
  const service = createService(configOf(stage, settings), { ...world, ...overrides })
  await service.start(new AbortController().signal)
  stage.front.lead(service.urls().callbacks)
  return {
    ...service.urls(),
    events: () => lines(printed()),
    log: () => log.lines.map(({ level, message, fields }) => ({ level, msg: message, ...fields })),
    [Symbol.asyncDispose]: () => service.stop(),
  } satisfies Running & AsyncDisposable & { log(): LogLine[] }
}

function lines(printed: string): SnapshotCloudEvent[] {
  return printed.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line)]))
}
