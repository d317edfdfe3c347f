// What a check found: one line each, with what to do where something is to be done.

const CHECKS = [
  'proxy',
  'credentials',
  'permission',
  'clock',
  'public_url',
  'snapshots',
  'audit',
  'store',
  'sink',
  'pictures',
] as const
export type Check = (typeof CHECKS)[number]

const RESULTS = ['ok', 'warning', 'problem', 'not_checked'] as const
export type Result = (typeof RESULTS)[number]

export type Finding = {
  readonly check: Check
  /** What was looked at: a domain, a URL, a path, a name. */
  readonly subject: string
  readonly result: Result
  /** What was found. */
  readonly detail: string
  /** What to do next, or null where nothing is to be done. */
  readonly next: string | null
}

/** Makes findings of one check. */
export function findingsOf(check: Check) {
  const make =
    (result: Result) =>
    (subject: string, detail: string, next: string | null = null): Finding => ({
      check,
      subject,
      result,
      detail,
      next,
    })
  return {
    ok: make('ok'),
    warning: make('warning'),
    problem: make('problem'),
    notChecked: make('not_checked'),
  }
}
