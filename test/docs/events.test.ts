// docs/events.md and docs/registration.md against the core.
import { expect, test } from 'vitest'
import { FLAGS } from '../../src/core/events/callback.ts'
import { toCloudEvent } from '../../src/core/events/snapshot-event.ts'
import {
  REGISTRATION_CHANGES,
  REGISTRATION_STATES,
} from '../../src/core/registration/registration.ts'
import { textOf } from '../deploy/files.ts'
import { codesIn, fencedLines, tableOf } from '../deploy/markdown.ts'
import { anchorsOf } from './pages.ts'

const events = textOf('docs/events.md')
const registration = textOf('docs/registration.md')

test('the event that is shown has the form of one', () => {
  const shown = JSON.parse(fencedLines(events, 'json').join('\n'))
  const body = { DomainName: 'play.example.com', AppName: 'live', StreamName: 'door' }
  const made = toCloudEvent({
    id: shown.id,
    domain: 'play.example.com',
    origin: 'callback',
    receivedAt: Date.parse(shown.data.receivedAt),
    occurredAt: Date.parse(shown.time),
    seq: shown.data.seq,
    body: new TextEncoder().encode(
      JSON.stringify({
        ...body,
        OssBucket: 'example-bucket',
        OssEndpoint: 'oss-cn-shanghai.aliyuncs.com',
        OssObject: shown.data.object,
        CreateTimestamp: Date.parse(shown.time),
      }),
    ),
  })
  expect({ ...shown, data: { ...shown.data, raw: made.data.raw } }).toEqual(made)
  expect(Object.keys(shown.data)).toEqual(Object.keys(made.data))
})

test('every flag is explained', () => {
  const rows = tableOf(events, ['flag', 'meaning'])
  expect(rows.map(([flag]) => codesIn(flag)[0])).toEqual(FLAGS)
})

test('every state of a registration is explained, and has a heading to link to', () => {
  const rows = tableOf(registration, ['state', 'what it means, what to do'])
  expect(rows.map(([state]) => codesIn(state)[0])).toEqual(REGISTRATION_STATES)
  expect(anchorsOf(registration)).toEqual(expect.arrayContaining([...REGISTRATION_STATES]))
})

test('the table of what is done names every change', () => {
  const rows = tableOf(registration, ['what the provider shows', 'what is done'])
  const named = rows.flatMap(([, step]) => codesIn(step))
  expect(REGISTRATION_CHANGES.filter((change) => !named.includes(change))).toEqual([])
})
