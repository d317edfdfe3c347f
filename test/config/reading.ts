// Settings that are good as they are, and reading them with others.
import { readConfig } from '../../src/config/config.ts'

export const SECRET = Buffer.alloc(32, 1).toString('base64url')
export const WEBHOOK_SECRET = `whsec_${Buffer.alloc(24, 7).toString('base64')}`
export const REQUIRED = {
  SNAPHOOK_PUBLIC_URL: 'https://hook.example.com',
  SNAPHOOK_DOMAINS: 'play.example.com',
}
export const noFile = (): string => {
  throw new Error('no such file')
}

export function read(
  env: Record<string, string | undefined>,
  readFile: (path: string) => string = noFile,
) {
  return readConfig({ ...REQUIRED, ...env }, readFile)
}

export function problems(
  env: Record<string, string | undefined>,
  readFile?: (path: string) => string,
) {
  const config = read(env, readFile)
  return config.ok ? [] : config.problems
}
