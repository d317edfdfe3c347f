// URLs of the web as settings take them: with nothing in them that is lost or shown by accident.

/** What is wrong with a URL: the rest of a sentence that begins with its name, without the URL itself. */
export function plainUrlProblem(given: string): string | undefined {
  const url = URL.parse(given)
  if (url === null || !/^https?:\/\//i.test(given)) return 'must be an http:// or https:// URL'
  if (url.username || url.password) return 'must not hold a user name or password'
  if (given.includes('?') || given.includes('#')) return 'must have neither query nor fragment'
  return undefined
}
