// Events and secrets for the tests of the stores. Imports no test runner: child processes use it.

import type { NewEvent } from '../../../src/core/events/snapshot-event.ts'
import { type Secret, secretFrom } from '../../../src/core/keys/notify-key.ts'

export const SECRET: Secret = secretFrom(new Uint8Array(32).fill(1))
export const OTHER_SECRET: Secret = secretFrom(new Uint8Array(32).fill(2))

/** The nth event: each has its own identity, second and body. */
export function eventOf(n: number, parts: Partial<NewEvent> = {}): NewEvent {
  return {
    id: n.toString(16).padStart(64, '0'),
    domain: 'live.example.com',
    origin: 'callback',
    receivedAt: 1_700_000_000_500 + n * 1000,
    occurredAt: 1_700_000_000_000 + n * 1000,
    body: new TextEncoder().encode(`{"n":${n}}`),
    ...parts,
  }
}

export function range(length: number): number[] {
  return Array.from({ length }, (_, n) => n)
}
