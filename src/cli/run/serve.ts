// `serve`: the service, until a signal ends it.
import { createService } from '../../app/service.ts'
import { aborted, EXIT, type Shell, withConfig } from '../shell.ts'

export function runServe(shell: Shell): Promise<number> {
  return withConfig(shell, async (config, overrides) => {
    const service = createService(config, overrides)
    await service.start(shell.signal)
    await aborted(shell.signal)
    await service.stop()
    return EXIT.done
  })
}
