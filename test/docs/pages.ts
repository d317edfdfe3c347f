// The pages that people read, as tests look at them.
import { filesBelow, textOf } from '../deploy/files.ts'

export type Page = { readonly path: string; readonly text: string }

const ROOT_PAGES = ['README.md', 'CONTRIBUTING.md', 'SECURITY.md']

export const PAGES: readonly Page[] = [
  ...ROOT_PAGES,
  ...filesBelow('docs').filter((path) => path.endsWith('.md')),
].map((path) => ({ path, text: textOf(path) }))

/** Without the fenced blocks. */
export function proseOf(text: string): string {
  return text.replaceAll(/^```.*?^```$/gms, '')
}

/** The anchors of the headings, as GitHub makes them. */
export function anchorsOf(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  )
}
