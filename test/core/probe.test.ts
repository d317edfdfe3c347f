import { describe, expect, test } from 'vitest'
import { notifyKey, secretFrom } from '../../src/core/keys/notify-key.ts'
import { isNonce, probeAnswers, provesSecret } from '../../src/core/probe.ts'

const SECRET = secretFrom(new Uint8Array(32).fill(1))
const OTHER = secretFrom(new Uint8Array(32).fill(2))
const NONCE = 'nonce-of-a-probe-1'

describe('a probe', () => {
  test('is answered the same for ever', () => {
    expect(probeAnswers(NONCE, [SECRET])).toEqual([
      'ba282af5610c32e1874fb8af90a5ff8dfa71980e45edb7314eb7bfd24a17026e',
    ])
  })

  test('proves one of the secrets, whichever comes first', () => {
    expect(provesSecret(probeAnswers(NONCE, [OTHER, SECRET]), NONCE, [SECRET])).toBe(true)
    expect(provesSecret(probeAnswers(NONCE, [SECRET]), NONCE, [OTHER, SECRET])).toBe(true)
  })

  test.each([
    ['another secret', probeAnswers(NONCE, [OTHER])],
    ['another nonce', probeAnswers('another-nonce-entirely', [SECRET])],
    ['nothing', []],
    ['something else', [null, 7, {}, '', 'g'.repeat(64), NONCE]],
  ])('is not proven by %s', (_, answers) => {
    expect(provesSecret(answers, NONCE, [SECRET])).toBe(false)
  })

  test('tells nothing of notify keys', () => {
    expect(probeAnswers(NONCE, [SECRET]).join()).not.toContain(notifyKey(SECRET, NONCE, 0))
  })
})

test.each([
  ['0123456789abcdef', true],
  ['A-Z_a-z_0-9_____', true],
  ['n'.repeat(64), true],
  ['n'.repeat(65), false],
  ['n'.repeat(15), false],
  ['nonce with spaces', false],
  ['nonce/with/slashes', false],
  ['', false],
])('"%s" as a nonce: %s', (text, fit) => {
  expect(isNonce(text)).toBe(fit)
})
