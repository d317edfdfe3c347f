// Loaded before the command (`--import`): writes the URL of each module of pg, and of our code for it,
// and of zod into the file that NOTED_MODULES names.
import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const file = process.env.NOTED_MODULES ?? ''

registerHooks({
  load(url, context, nextLoad) {
    if (/\/node_modules\/(?:pg[-/]|zod\/)|\/src\/store\/postgres\//.test(url))
      appendFileSync(file, `${url}\n`)
    return nextLoad(url, context)
  },
})
