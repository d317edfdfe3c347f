// `emulator`: a local ApsaraVideo Live, until a signal ends it.
import { Option } from 'commander'
import { startEmulator } from '../../emulator/emulator.ts'
import { command } from '../command.ts'
import { secretOption } from '../options.ts'
import { aborted, durationOption, EXIT, refuseOption, type Shell } from '../shell.ts'

type Options = {
  listen: string
  accessKeyId: string
  accessKeySecret?: string
  accessKeySecretFile?: string
  domain: string[]
  streams: string
  interval: string
  openBucket?: true
}

/** If none is given: whoever starts an emulator has nothing to hide in it. */
const SECRET = 'emulator-secret'
/** More than a laptop can draw pictures for. */
const MAX_STREAMS = 10_000

export const EMULATOR = command({
  name: 'emulator',
  description: 'run a local ApsaraVideo Live: API, streams, signed callbacks',
  define: (emulator) =>
    emulator
      .option('--listen <host:port>', 'where to listen', '127.0.0.1:8081')
      .option('--access-key-id <id>', 'the access key that its API takes', 'emulator')
      .option('--access-key-secret <secret>', `the secret of that access key (${SECRET})`)
      .option('--access-key-secret-file <file>', 'the file that holds it, - for standard input')
      .addOption(
        new Option('--domain <domain...>', 'streaming domains; any, if none is named').default([]),
      )
      .option('--streams <n>', 'streams that are pushed from the start', '0')
      .option('--interval <duration>', 'time between the snapshots of a stream', '5s')
      .option('--open-bucket', 'hand out pictures to anybody, not to signed URLs alone'),
  run: runEmulator,
})

async function runEmulator(shell: Shell, options: Options): Promise<number> {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(options.listen) ?? []
  if (host === undefined) throw refuseOption(shell, '--listen', 'HOST:PORT')
  const streams = Number(options.streams)
  if (!Number.isInteger(streams) || streams < 0 || streams > MAX_STREAMS) {
    throw refuseOption(shell, '--streams', `a number from 0 to ${MAX_STREAMS}`)
  }
  const { accessKeySecret: given, accessKeySecretFile: file } = options
  const accessKeySecret =
    (await secretOption(shell, '--access-key-secret', { given, file })) ?? SECRET
  const emulator = await startEmulator({
    host,
    port: Number(port),
    accessKeyId: options.accessKeyId,
    accessKeySecret,
    domains: options.domain,
    streams,
    intervalMs: durationOption(shell, '--interval', options.interval),
    openBucket: options.openBucket ?? false,
  })
  shell.print(`emulator listening on ${emulator.url}, state at ${emulator.url}/emulator/state`)
  await aborted(shell.signal)
  await emulator.stop()
  return EXIT.done
}
