// What a setting is. Each is declared once, in `settings/`: name of the variable, how its text is
// read, what holds without it, and its line in docs/settings.md. `Config` and the documents follow.
import { Problem } from '../core/problem.ts'

type Declaration<T> = {
  readonly env: `SNAPHOOK_${string}`
  /** Its line in docs/settings.md: short, plain Markdown. */
  readonly about: string
  /** Holds a secret: may be given as the path of a file, under the name with `_FILE` behind it. */
  readonly secret?: true
  /** Turns what was set, without blanks around it, into a value or a problem. */
  read(text: string): T | Problem
}

export type Setting<T> = Declaration<T> & { readonly unset: Unset<T> }

/** What holds where the variable is not set. */
type Unset<T> =
  | { readonly kind: 'required'; readonly explained: string }
  | { readonly kind: 'default'; readonly text: string }
  | { readonly kind: 'none'; readonly value: T }

/** A setting that must be set; `required` says what it is, to someone who did not. */
export function setting<T>(declared: Declaration<T> & { readonly required: string }): Setting<T>
/** A setting with a default, which is read like any text. */
export function setting<T>(declared: Declaration<T> & { readonly default: string }): Setting<T>
/** A setting that may be missing; `none` is its value then. */
export function setting<T, N>(declared: Declaration<T> & { readonly none: N }): Setting<T | N>
export function setting<T>(
  declared: Declaration<T> & { required?: string; default?: string; none?: T },
): Setting<T> {
  const { required, default: text, none, ...rest } = declared
  if (required !== undefined) return { ...rest, unset: { kind: 'required', explained: required } }
  if (text !== undefined) return { ...rest, unset: { kind: 'default', text } }
  return { ...rest, unset: { kind: 'none', value: none as T } }
}

/** Settings that stand together in docs/settings.md. */
export type Group = {
  readonly title: string
  readonly settings: Readonly<Record<string, Setting<unknown>>>
}

/** The value of a setting, given its text if it was set; or what is wrong, with the name. */
export function readSetting<T>({ env, read, unset }: Setting<T>, text: string | undefined) {
  if (text === undefined && unset.kind === 'none') return unset.value
  if (text === undefined && unset.kind === 'required') {
    return new Problem(`${env} is required: ${unset.explained}`)
  }
  const value = read(text ?? (unset.kind === 'default' ? unset.text : ''))
  return value instanceof Problem ? new Problem(`${env} ${value.sentence}`) : value
}
