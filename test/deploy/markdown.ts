// Reads the tables of a Markdown page by the words of their heading row.

export type Row = readonly string[]

/** The rows of the one table whose heading row has these cells. */
export function tableOf(text: string, heading: readonly string[]): Row[] {
  const lines = text.split('\n')
  const starts = lines.flatMap((line, index) =>
    JSON.stringify(cellsOf(line)) === JSON.stringify(heading) ? [index] : [],
  )
  const [start] = starts
  if (start === undefined || starts.length > 1) {
    throw new Error(`${starts.length} tables with the heading ${heading.join(' | ')}`)
  }
  const rows: Row[] = []
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break
    rows.push(cellsOf(line))
  }
  return rows
}

/** What stands in backquotes, in order. */
export function codesIn(cell = ''): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code)
}

/** The lines of all fenced blocks of a language. */
export function fencedLines(text: string, language: string): string[] {
  const blocks = text.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'gms'))
  return [...blocks].flatMap(([, block = '']) => block.trimEnd().split('\n'))
}

function cellsOf(line: string): string[] {
  if (!line.startsWith('|')) return []
  return line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim())
}
