// Seals what must not be readable at rest: compact JWE, `dir` with A256GCM, under a key derived
// from the secret. The header names the secret by its fingerprint, so that a list of secrets opens
// what any of them sealed, and taking one out of the list closes what it sealed for good.
import { compactDecrypt } from 'jose/jwe/compact/decrypt'
import { CompactEncrypt } from 'jose/jwe/compact/encrypt'
import { type Secret, sealingKey } from '../../core/keys/notify-key.ts'

const ALGORITHM = 'dir'
const ENCRYPTION = 'A256GCM'

export interface Seals {
  /** The text as a compact JWE, under the first secret. */
  seal(text: string): Promise<string>
  /** The text, or undefined where no secret of ours opens it. */
  open(jwe: string): Promise<string | undefined>
}

/** Seals under the first of `secrets`, opens with all of them. */
export function createSeals(secrets: readonly Secret[]): Seals {
  const [first] = secrets
  if (first === undefined) throw new TypeError('createSeals needs at least one secret')
  const keys = new Map(secrets.map((secret) => [secret.fingerprint, sealingKey(secret)]))
  const header = { alg: ALGORITHM, enc: ENCRYPTION, kid: first.fingerprint }
  const sealing = sealingKey(first)

  return {
    seal: (text) =>
      new CompactEncrypt(new TextEncoder().encode(text))
        .setProtectedHeader(header)
        .encrypt(sealing),

    async open(jwe) {
      try {
        const { plaintext } = await compactDecrypt(jwe, ({ kid }) => keyOf(kid), {
          keyManagementAlgorithms: [ALGORITHM],
          contentEncryptionAlgorithms: [ENCRYPTION],
        })
        return new TextDecoder().decode(plaintext)
      } catch {
        return undefined
      }
    },
  }

  function keyOf(fingerprint: string | undefined): Uint8Array {
    const key = keys.get(fingerprint ?? '')
    if (key === undefined) throw new TypeError('sealed under a secret that is not ours')
    return key
  }
}
