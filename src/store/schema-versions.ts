// The schema of a store goes by numbered scripts, forward only. A version is major * 1000 + minor: within
// a major, scripts only add, so that a release which was rolled back works with the schema of a later
// minor; the schema of a later major is refused.
import { readdirSync, readFileSync } from 'node:fs'

/** Minors per major, in versions and in the names of the scripts. */
const MAJOR = 1000

export type Migration = { readonly version: number; readonly script: string }

/** The scripts of a folder, in the order of their numbers. */
export function readMigrations(folder: URL): readonly Migration[] {
  return readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
    .map((name) => ({
      version: Number.parseInt(name, 10),
      script: readFileSync(new URL(name, folder), 'utf8'),
    }))
}

/** The scripts that a schema of this version has not seen; a sentence's end where it is too new. */
export function migrationsAfter(
  version: number,
  migrations: readonly Migration[],
): readonly Migration[] | { readonly tooNew: string } {
  const newest = migrations.at(-1)?.version ?? 0
  if (majorOf(version) > majorOf(newest)) {
    const known = `this release knows up to ${shown(newest)}: run the later release again`
    return { tooNew: `is of version ${shown(version)}, and ${known}` }
  }
  return migrations.filter((migration) => migration.version > version)
}

function majorOf(version: number): number {
  return Math.trunc(version / MAJOR)
}

function shown(version: number): string {
  return `${majorOf(version)}.${version % MAJOR}`
}
