// `emulator`: a local ApsaraVideo Live, until a signal ends it.
import { startEmulator } from '../../emulator/emulator.ts'
import { aborted, durationOption, EXIT, refuseOption, type Shell } from '../shell.ts'

type Options = {
  listen: string
  accessKeyId: string
  accessKeySecret: string
  domain: string[]
  streams: string
  interval: string
}

/** More than a laptop can draw pictures for. */
const MAX_STREAMS = 10_000

export async function runEmulator(shell: Shell, options: Options): Promise<number> {
  const [, host, port] = /^\[?([^\]]+)\]?:(\d{1,5})$/.exec(options.listen) ?? []
  if (host === undefined) throw refuseOption(shell, '--listen', 'HOST:PORT')
  const streams = Number(options.streams)
  if (!Number.isInteger(streams) || streams < 0 || streams > MAX_STREAMS) {
    throw refuseOption(shell, '--streams', `a number from 0 to ${MAX_STREAMS}`)
  }
  const emulator = await startEmulator({
    host,
    port: Number(port),
    accessKeyId: options.accessKeyId,
    accessKeySecret: options.accessKeySecret,
    domains: options.domain,
    streams,
    intervalMs: durationOption(shell, '--interval', options.interval),
  })
  shell.print(`emulator listening on ${emulator.url}, state at ${emulator.url}/emulator/state`)
  await aborted(shell.signal)
  await emulator.stop()
  return EXIT.done
}
