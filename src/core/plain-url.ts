// URLs of the web as settings take them: with nothing in them that is lost or shown by accident.

/** What is wrong with it: a sentence that follows its name and does not repeat it. */
export function plainUrlProblem(given: string): string | undefined {
  const url = URL.parse(given)
  if (url === null || !/^https?:\/\//i.test(given)) return 'must be an http:// or https:// URL'
  if (url.username || url.password) return 'must not hold a user name or password'
  if (given.includes('?') || given.includes('#')) return 'must have neither query nor fragment'
  return undefined
}
