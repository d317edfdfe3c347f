// What holds for every page: links, files, lines, names of settings, scripts and commands, and the
// parts that come from the code.
import { existsSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'
import { declaredParts, partsOf, withTables } from '../../docs/tables.ts'
import packageJson from '../../package.json' with { type: 'json' }
import { FILE_SUFFIX } from '../../src/config/environment.ts'
import { METRICS } from '../../src/telemetry/definitions.ts'
import { ENVIRONMENT } from '../deploy/code.ts'
import { filesBelow, textOf } from '../deploy/files.ts'
import { codesIn, fencedLines } from '../deploy/markdown.ts'
import { anchorsOf, PAGES, proseOf } from './pages.ts'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MAX_LINE = 120
const README_LINES = 130
const readme = textOf('README.md')

test('no line of the changelog is too long either', () => {
  expect(
    textOf('CHANGELOG.md')
      .split('\n')
      .filter((line) => line.length > MAX_LINE),
  ).toEqual([])
})

describe.each(PAGES)('$path', ({ path, text }) => {
  test('every link leads to a file, and to a heading of it', () => {
    const links = [...proseOf(text).matchAll(/\]\((?!https?:)([^)]+)\)/g)].map(([, to = '']) => to)
    const broken = links.filter((to) => {
      const [file = '', anchor] = to.split('#')
      const target = file === '' ? path : normalize(join(dirname(path), file))
      if (!existsSync(ROOT + target)) return true
      return anchor !== undefined && !anchorsOf(textOf(target)).includes(anchor)
    })
    expect(broken).toEqual([])
  })

  test('every file that is named is there', () => {
    const named = codesIn(proseOf(text)).filter((code) =>
      /^(deploy|src|test|bench|docs)\/[\w./-]+$/.test(code),
    )
    expect(named.filter((name) => !existsSync(ROOT + name))).toEqual([])
  })

  test('no line is too long for an editor or a diff', () => {
    expect(text.split('\n').filter((line) => [...line].length > MAX_LINE)).toEqual([])
  })

  test('no setting and no metric is named that there is not, save as a mistake', () => {
    const named = new Set(text.match(/SNAPHOOK_[A-Z_]+/g))
    const unknown = [...named].filter((name) => !ENVIRONMENT.includes(name))
    expect(unknown.filter((name) => name !== 'SNAPHOOK_PORT')).toEqual([])
    const metrics = Object.values(METRICS).map(({ name }) => name as string)
    const series = text.match(/\bsnaphook_[a-z_]+/g) ?? []
    expect(series.filter((name) => !metrics.includes(name))).toEqual([])
  })

  test('every npm script that is named exists', () => {
    const named = [...text.matchAll(/npm run ([a-z:-]+)/g)].map(([, name = '']) => name)
    expect(named.filter((name) => !Object.hasOwn(packageJson.scripts, name))).toEqual([])
  })

  test('every command that is to be typed exists', () => {
    const typed = fencedLines(text, 'sh').flatMap((line) =>
      [...line.matchAll(/(?:npm start --|--rm snaphook|\bsnaphook) ([a-z-]+)/g)].map(
        ([, name]) => `command: ${name}`,
      ),
    )
    expect(typed.filter((name) => !declaredParts().includes(name))).toEqual([])
  })

  test('the version that is named is this one', () => {
    const versions = text.match(/snaphook:[0-9]\S*?(?=`| )/g) ?? []
    expect(versions.filter((name) => name !== `snaphook:${packageJson.version}`)).toEqual([])
  })

  test('what comes from the code is as the code has it (npm run docs writes it)', () => {
    expect(withTables(text)).toBe(text)
  })
})

test('each setting, metric and command is in the documents, once', () => {
  const parts = PAGES.flatMap(({ text }) => partsOf(text))
  expect(parts.toSorted()).toEqual(declaredParts().toSorted())
})

test('what comments cite is in these pages', () => {
  const cited = filesBelow('src').flatMap((path) =>
    [...textOf(path).matchAll(/docs\/(\w+\.md)(?:#([\w-]+))?/g)].map(([, file = '', anchor]) => ({
      path,
      file,
      anchor,
    })),
  )
  const broken = cited.filter(({ file, anchor }) => {
    const found = PAGES.find((each) => each.path === `docs/${file}`)
    return !found || (anchor !== undefined && !anchorsOf(found.text).includes(anchor))
  })
  expect(broken).toEqual([])
  expect(cited.length).toBeGreaterThan(10)
  const elsewhere = filesBelow('src').filter((path) => /\b(FACTS|DESIGN) \d/.test(textOf(path)))
  expect(elsewhere).toEqual([])
})

test('a part that nothing declares is noticed', () => {
  expect(() => withTables('<!-- settings: Weather -->\n<!-- end -->')).toThrow('settings: Weather')
  expect(() => withTables('<!-- colours: Store -->\n<!-- end -->')).toThrow('colours: Store')
})

test('the pages are led to from the README', () => {
  const unlinked = PAGES.filter(({ path }) => path !== 'README.md').filter(
    ({ path }) => !readme.includes(`](${path}`),
  )
  expect(unlinked.map(({ path }) => path)).toEqual([])
})

test('the README is one page, and begins with what a newcomer types', () => {
  expect(readme.split('\n').length).toBeLessThanOrEqual(README_LINES)
  const [demo, tests] = fencedLines(readme, 'sh')
  expect(demo).toMatch(/^npm ci && npm run demo\b/)
  expect(tests).toMatch(/^npm ci && npm test\b/)
})

test('what may be a file is marked and explained', () => {
  expect(codesIn(textOf('docs/settings.md'))).toContain(FILE_SUFFIX)
  expect(textOf('docs/settings.md')).toContain('marked †')
})

test('this version is in the changelog', () => {
  expect(textOf('CHANGELOG.md')).toMatch(
    new RegExp(`^## \\[${packageJson.version}\\] - \\d{4}-\\d\\d-\\d\\d$`, 'm'),
  )
})
