// `token`: a bearer token for the operations API.

import { issueApiToken } from '../../app/api-tokens.ts'
import { readApiSecretSetting } from '../../config/config.ts'
import { command } from '../command.ts'
import { durationOption, EXIT, refuseSettings, type Shell } from '../shell.ts'

export const TOKEN = command({
  name: 'token',
  description: 'print a bearer token for the operations API, signed with SNAPHOOK_API_SECRET',
  define: (token) => token.option('--ttl <duration>', 'how long it is good', '1h'),
  run: runToken,
})

async function runToken(shell: Shell, { ttl }: { ttl: string }): Promise<number> {
  const ttlSeconds = Math.floor(durationOption(shell, '--ttl', ttl) / 1000)
  const secret = readApiSecretSetting(shell.env, shell.readFile)
  if (!secret.ok) return refuseSettings(shell, secret.problems)
  const nowSeconds = Math.floor(Date.now() / 1000)
  shell.print(await issueApiToken(secret.value, { ttlSeconds, nowSeconds }))
  return EXIT.done
}
