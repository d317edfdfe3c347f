// That nothing secret shows: not as it is, and not in the encodings in which it tends to slip out.
import { expect } from 'vitest'

export type Secrets = Readonly<Record<string, string>>

/** Fails with the name of each secret that `text` holds, never with the secret itself. */
export function assertNoSecrets(where: string, text: string, secrets: Secrets): void {
  const lower = text.toLowerCase()
  const shown = Object.entries(secrets)
    .filter(([, secret]) => spellings(secret).some((each) => lower.includes(each.toLowerCase())))
    .map(([name]) => name)
  expect(shown, `secrets in ${where}`).toEqual([])
}

function spellings(secret: string): string[] {
  const bytes = Buffer.from(secret)
  return [
    secret,
    encodeURIComponent(secret),
    bytes.toString('base64').replace(/=+$/, ''),
    bytes.toString('base64url'),
    bytes.toString('hex'),
  ]
}
