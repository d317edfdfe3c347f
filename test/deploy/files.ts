// The files of the repository that tests compare with the code.
import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

export function textOf(path: string): string {
  return readFileSync(ROOT + path, 'utf8')
}

/** The paths of all files below `folder`, sorted. */
export function filesBelow(folder: string): string[] {
  return readdirSync(ROOT + folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => `${parentPath}/${name}`.slice(ROOT.length))
    .sort()
}

/** The assignments of an env file; `commented` ones stand behind a `#`. */
export function envOf(text: string): {
  set: Record<string, string>
  commented: Record<string, string>
} {
  const found = [...text.matchAll(/^(#?)([A-Z][A-Z0-9_]*)=(.*)$/gm)]
  const pick = (mark: string) =>
    Object.fromEntries(
      found.filter(([, given]) => given === mark).map(([, , name, value]) => [name, value]),
    )
  return { set: pick(''), commented: pick('#') }
}
