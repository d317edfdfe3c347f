// The same tests on both kinds of store: what a person sees must not depend on it.
import { describe } from 'vitest'
import { postgresForFile, urlOf } from '../postgres/postgres-server.ts'
import type { Settings } from '../service/stage.ts'

/** The settings that give a test a store that nobody else uses. */
export type OwnStore = () => Settings

/** Defines the tests once for SQLite, where a stage has a file of its own, and once for PostgreSQL. */
export function onEachStore(define: (own: OwnStore, kind: 'sqlite' | 'postgres') => void): void {
  describe('on SQLite', () => define(() => ({}), 'sqlite'))
  describe('on PostgreSQL', () => {
    const server = postgresForFile()
    define(() => ({ SNAPHOOK_STORE: urlOf(server().newLocation()) }), 'postgres')
  })
}
