// `token`: a bearer token for the operations API.

import { issueApiToken } from '../../app/api-tokens.ts'
import { readApiSecretSetting } from '../../config/config.ts'
import { durationOption, EXIT, refuseSettings, type Shell } from '../shell.ts'

export async function runToken(shell: Shell, { ttl }: { ttl: string }): Promise<number> {
  const ttlSeconds = Math.floor(durationOption(shell, '--ttl', ttl) / 1000)
  const secret = readApiSecretSetting(shell.env, shell.readFile)
  if (!secret.ok) return refuseSettings(shell, secret.problems)
  const nowSeconds = Math.floor(Date.now() / 1000)
  shell.print(await issueApiToken(secret.value, { ttlSeconds, nowSeconds }))
  return EXIT.done
}
