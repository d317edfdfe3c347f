// `serve`: the service, until a signal ends it.
import { createService } from '../../app/service.ts'
import { command } from '../command.ts'
import { aborted, EXIT, type Shell, withConfig } from '../shell.ts'

export const SERVE = command({
  name: 'serve',
  description: 'receive callbacks and keep every domain registered (the default)',
  isDefault: true,
  run: runServe,
})

function runServe(shell: Shell): Promise<number> {
  return withConfig(
    shell,
    async (config, overrides) => {
      const service = createService(config, overrides)
      await service.start(shell.signal)
      await aborted(shell.signal)
      await service.stop()
      return EXIT.done
    },
    { isService: true },
  )
}
