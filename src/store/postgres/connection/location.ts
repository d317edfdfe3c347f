// What a location means for statements.
import type { PostgresLocation } from '../../../core/store-place.ts'

/** A statement with `@` replaced by the schema: `@.events`, `'@'::regnamespace`. */
export function inSchema(schema: string, statement: string): string {
  return statement.replaceAll('@.', `"${schema}".`).replaceAll("'@'", `'"${schema}"'`)
}

/** What `synchronous_commit` is to be for what must not be lost. */
export function syncOf({ durability }: PostgresLocation): 'on' | 'local' {
  return durability === 'standby' ? 'on' : 'local'
}
