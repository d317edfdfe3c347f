// Every CloudEvent that leaves is valid, whatever a body held.
import { CloudEvent } from 'cloudevents'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Origin, toCloudEvent } from '../../../src/core/events/snapshot-event.ts'
import { eventOf } from '../../support/store/store-events.ts'

/** As the specification words it, apart from the code: 3.1.1, type String. */
function isDisallowed(code: number): boolean {
  if (code <= 0x1f || (code >= 0x7f && code <= 0x9f)) return true
  if (code >= 0xd800 && code <= 0xdfff) return true
  return (code >= 0xfdd0 && code <= 0xfdef) || (code & 0xfffe) === 0xfffe
}
const codesOf = (text: string) => [...text].map((each) => each.codePointAt(0) as number)
const isValid = (text: string) => !codesOf(text).some(isDisallowed)

function formOf(body: Uint8Array, origin: Origin = 'callback') {
  return toCloudEvent({ ...eventOf(1, { body, origin }), seq: 1 })
}
const jsonOf = (fields: object) => new TextEncoder().encode(JSON.stringify(fields))

/** Characters that break things, among others. */
const character = fc.oneof(
  fc.constantFrom(0, 0x1f, 0x7f, 0x9f, 0xd800, 0xdfff, 0xfdd0, 0xfffe, 0xffff, 0x1fffe, 0x10ffff),
  fc.constantFrom(0x20, 0x2f, 0x41, 0xfffd, 0x1f4f7, 0xfeff, 0x202e),
  fc.integer({ min: 0, max: 0x10ffff }),
)
const name = fc
  .array(character, { minLength: 1, maxLength: 6 })
  .map((codes) => String.fromCodePoint(...codes))

function expectValid(form: ReturnType<typeof formOf>): void {
  expect(new CloudEvent({ ...form }).validate()).toBe(true)
  const { data, ...attributes } = form
  for (const value of Object.values(attributes)) expect(isValid(String(value))).toBe(true)
  for (const key of ['app', 'stream', 'bucket', 'endpoint', 'object'] as const) {
    const value = data[key]
    if (value !== null) expect(isValid(value)).toBe(true)
  }
  // What is sent is what was meant: JSON in UTF-8 loses nothing of it.
  expect(JSON.parse(new TextDecoder().decode(jsonOf(form)))).toEqual(form)
}

test('with names of any characters', () => {
  fc.assert(
    fc.property(fc.record({ app: name, stream: name, bucket: name, uri: name }), (fields) => {
      const form = formOf(jsonOf(fields))
      expectValid(form)
      const isFine = isValid(fields.app) && isValid(fields.stream)
      expect(form.subject).toBe(isFine ? `${fields.app}/${fields.stream}` : undefined)
      const replaced = codesOf(fields.stream).map((code) => (isDisallowed(code) ? 0xfffd : code))
      expect(form.data.stream).toBe(String.fromCodePoint(...replaced))
      expect(form.data.raw).toBe(JSON.stringify(fields))
    }),
    { numRuns: 500 },
  )
})

test('of any bytes and any JSON', () => {
  const anything = fc.oneof(
    fc.uint8Array({ maxLength: 60 }),
    fc.json().map((text) => new TextEncoder().encode(text)),
    fc
      .dictionary(
        fc.constantFrom('AppName', 'stream', 'time', 'OssObject', 'domain'),
        fc.jsonValue(),
      )
      .map(jsonOf),
  )
  fc.assert(
    fc.property(anything, fc.constantFrom<Origin>('callback', 'audit'), (body, origin) =>
      expectValid(formOf(body, origin)),
    ),
    { numRuns: 500 },
  )
})

test.each([1e300, 1e20, 253_402_300_800, '9'.repeat(400), -1])(
  'listed with the time %s: one that can be written, or none',
  (time) => {
    const form = formOf(jsonOf({ app: 'live', CreateTime: time }), 'audit')
    expectValid(form)
    expect(form.time).toMatch(/^\d{4}-/)
  },
)

describe('a subject', () => {
  test.each([
    ['a control character', '\u0007'],
    ['half of a surrogate pair', '\ud83d'],
    ['a noncharacter', '\uffff'],
  ])('is absent where a name holds %s, and the name shows where', (_what, bad) => {
    const form = formOf(jsonOf({ app: 'live', stream: `door${bad}1` }))
    expect(form).not.toHaveProperty('subject')
    expect(form.data).toMatchObject({ app: 'live', stream: 'door\ufffd1' })
  })

  test('is there where a name is only unusual', () => {
    const form = formOf(jsonOf({ app: 'live', stream: '\ufffd 📷 门' }))
    expect(form.subject).toBe('live/\ufffd 📷 门')
  })
})
