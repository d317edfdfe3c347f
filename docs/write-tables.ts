// `npm run docs`: writes the parts of the pages that come from the code.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { withTables } from './tables.ts'

for (const name of readdirSync(import.meta.dirname).filter((each) => each.endsWith('.md'))) {
  const path = `${import.meta.dirname}/${name}`
  const page = readFileSync(path, 'utf8')
  const filled = withTables(page)
  if (filled !== page) writeFileSync(path, filled)
}
