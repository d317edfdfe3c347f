// docs/api.md and docs/commands.md against the apps and the command line.
import { expect, test } from 'vitest'
import { EXIT } from '../../src/cli/shell.ts'
import { CALLBACK_OUTCOMES } from '../../src/core/events/callback.ts'
import { callbackApp, opsApp } from '../deploy/code.ts'
import { textOf } from '../deploy/files.ts'
import { codesIn, tableOf } from '../deploy/markdown.ts'

const api = textOf('docs/api.md')
const requests = tableOf(api, ['listener', 'request', 'answer'])
const of = (listener: string) =>
  requests.filter(([name]) => name === listener).map(([, request]) => codesIn(request)[0])

test('the private requests are exactly those of the app', () => {
  const routes = opsApp().routes.filter(
    ({ path, method }) => !path.endsWith('*') && method !== 'ALL',
  )
  expect(of('private')).toEqual(
    routes.map(({ method, path }) => `${method} ${path.replace(/:(\w+)(\{.*\})?/g, '<$1>')}`),
  )
})

test('the public ones are a callback and a probe', async () => {
  expect(of('public')).toEqual(['POST /callbacks/<domain>', 'GET /probe/<nonce>'])
  const probed = await callbackApp('accepted').request('/probe/nonce-of-a-probe-1')
  expect(probed.status).toBe(200)
  const request = { method: 'POST', body: '' }
  const env = { incoming: { headers: {} } }
  const answer = await callbackApp('accepted').request('/callbacks/play.example.com', request, env)
  expect(answer.status).toBe(200)
})

test('each outcome has the status that it is answered with', async () => {
  const documented = tableOf(api, ['status', 'outcomes']).flatMap(([status, outcomes]) =>
    codesIn(outcomes).map((outcome) => [outcome, Number(status)] as const),
  )
  const answered = CALLBACK_OUTCOMES.map(async (outcome) => {
    const env = { incoming: { headers: {} } }
    const answer = await callbackApp(outcome).request('/callbacks/a.example.com', {}, env)
    return [outcome, answer.status] as const
  })
  expect(new Map(documented)).toEqual(new Map(await Promise.all(answered)))
  expect(documented).toHaveLength(CALLBACK_OUTCOMES.length)
})

test('each outcome is explained', () => {
  const explained = tableOf(api, ['outcome', 'meaning']).flatMap(([outcome]) => codesIn(outcome))
  expect(explained.toSorted()).toEqual([...CALLBACK_OUTCOMES].toSorted())
})

test('the exit codes are those of the command line', () => {
  const rows = tableOf(textOf('docs/commands.md'), ['exit code', 'meaning'])
  expect(rows.map(([code]) => Number(code))).toEqual(Object.values(EXIT))
})
