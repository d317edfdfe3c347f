// What the page says where there is nothing to show, and why.
/** @import { Problem, Registration } from '../types.d.ts' */

/** What each flag of an event means. */
export const FLAGS = {
  not_json: 'the body is not JSON',
  not_object: 'the body is JSON, but no object',
  no_object: 'the body names no picture',
  other_domain: 'the body names another domain than it was sent for',
  bad_time: 'the capture time is more than 48 h from the receipt and not used',
}

/**
 * Why there is no picture, in few words and in a sentence. `problem` is the answer of the service;
 * none if it gave a link and the bucket did not give the picture.
 * @param {'slow' | 'refused'} why
 * @param {Problem} [problem]
 */
export function noPicture(why, problem) {
  if (why === 'slow') {
    return { short: 'picture is slow', long: 'The bucket did not give the picture in 15 s.' }
  }
  if (problem !== undefined) {
    const gone = problem.status === 404 || problem.status === 410
    return { short: gone ? 'picture gone' : problem.title, long: problem.detail }
  }
  const long =
    'The bucket did not give the picture: it is gone, or the service may not read it. ' +
    'Open it to see what the bucket says; "snaphook doctor" checks the permission.'
  return { short: 'bucket refused', long }
}

/** Which of the empty states it is if there is no stream. @param {Registration[] | null} registrations */
export function emptyState(registrations) {
  if (registrations === null || registrations.length === 0) return 'waiting'
  const wrong = registrations.filter(({ state }) => state !== 'in_sync')
  if (wrong.length === 0) return 'silent'
  return wrong.every(({ state }) => state === 'pending') ? 'pending' : 'wrong'
}

/** How bad the state of a registration is. */
export function registrationLevel(state) {
  return state === 'in_sync' ? 'ok' : state === 'pending' ? 'warn' : 'bad'
}
