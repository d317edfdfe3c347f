import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { subjectOf, subjectProblem, subjectsOf } from '../../../src/sinks/nats/subject.ts'

const TEMPLATE = 'snapshots.{domain}.{app}.{stream}'

describe('the subject of an event', () => {
  test.each([
    ['play.example.com', 'live', 'door', 'snapshots.play_example_com.live.door'],
    ['play.example.com', null, null, 'snapshots.play_example_com._._'],
    ['play.example.com', '', 'a b', 'snapshots.play_example_com._.a_b'],
    ['play.example.com', '*', '>', 'snapshots.play_example_com._._'],
    [
      'play.example.com',
      '$JS.API',
      'a\r\nPUB x 0',
      'snapshots.play_example_com._JS_API.a__PUB_x_0',
    ],
    ['d', 'a'.repeat(70_000), 's', `snapshots.d.${'a'.repeat(128)}.s`],
    ['play.example.com', '门', '🚪', 'snapshots.play_example_com._._'],
  ])('%#: %s', (domain, app, stream, subject) => {
    expect(subjectOf(TEMPLATE, { domain, app, stream })).toBe(subject)
  })

  test('can be published to, whatever the event says, and stays below the beginning', () => {
    const text = fc.option(fc.string({ unit: 'binary' }))
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), text, text, (domain, app, stream) => {
        const subject = subjectOf(TEMPLATE, { domain, app, stream })
        expect(subject).toMatch(/^snapshots(?:\.[A-Za-z0-9_-]{1,128}){3}$/)
      }),
    )
  })

  test('a template may have them anywhere but at its beginning', () => {
    const event = { domain: 'd', app: 'a', stream: 's' }
    expect(subjectOf('x.{stream}-{app}.y.{stream}', event)).toBe('x.s-a.y.s')
    expect(subjectsOf('x.{stream}-{app}.y.{stream}')).toBe('x.*.y.*')
  })
})

describe('a template', () => {
  test.each([TEMPLATE, 'snapshots', 'a-b.c_d.{app}', '0.{domain}x{app}'])(
    '%s: nothing',
    (template) => {
      expect(subjectProblem(template)).toBeUndefined()
    },
  )

  test.each([
    ['', 'begins with a word'],
    ['{app}.{stream}', 'begins with a word'],
    ['$JS.API.{app}', 'begins with a word'],
    ['_INBOX.{app}', 'begins with a word'],
    ['.x', 'begins with a word'],
    ['snapshots.', 'letters, digits'],
    ['snapshots..x', 'letters, digits'],
    ['snapshots.>', 'letters, digits'],
    ['snapshots.*', 'letters, digits'],
    ['snapshots.{room}', 'letters, digits'],
    ['snapshots.a b', 'letters, digits'],
    [`snapshots.${'{app}'.repeat(30)}`, 'at most 100 characters'],
  ])('%s', (template, problem) => {
    expect(subjectProblem(template)).toContain(problem)
  })
})
