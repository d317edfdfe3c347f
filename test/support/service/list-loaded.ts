// For `node --import`: writes the URL of each module that the process has loaded to the file LOADED_TO.
import { writeFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { isMainThread } from 'node:worker_threads'

const loaded = new Set<string>()
if (isMainThread) {
  registerHooks({
    load(url, context, nextLoad) {
      loaded.add(url)
      return nextLoad(url, context)
    },
  })
  process.on('exit', () => writeFileSync(process.env.LOADED_TO ?? '', [...loaded].join('\n')))
}
