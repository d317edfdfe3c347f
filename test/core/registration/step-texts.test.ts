import { describe, expect, test } from 'vitest'
import type { Observed } from '../../../src/core/registration/observation.ts'
import { plan, type Write } from '../../../src/core/registration/registration.ts'
import { explainContest, strangeUrl } from '../../../src/core/registration/step-texts.ts'
import { ABSENT, ELSEWHERE, ELSEWHERE_SHOWN, FORMER, present, situation } from './situations.ts'

describe('a contest says what was found', () => {
  test.each<[string, Observed, string]>([
    ['another URL', present({ url: ELSEWHERE }), `callbacks go to ${ELSEWHERE_SHOWN}`],
    ['authentication off', present({ auth: false }), 'authentication is switched off'],
    ['nothing', ABSENT, 'nothing is registered'],
  ])('%s', (_, observed, said) => {
    const given = situation({ observed, takeover: true })
    expect(explainContest(plan(given) as Write, given)).toContain(`(${said})`)
  })
})

describe('the URL that was found', () => {
  test.each<[string, Observed, string | null]>([
    ['elsewhere', present({ url: `${ELSEWHERE}?token=x` }), ELSEWHERE_SHOWN],
    ['a former one of ours', present({ url: FORMER }), 'https://former.example.com/…'],
    ['ours, without authentication', present({ auth: false }), null],
    ['ours', present(), null],
    ['none', ABSENT, null],
  ])('%s', (_, observed, shown) => {
    const given = situation({ observed, takeover: true })
    expect(strangeUrl(plan(given), given)).toBe(shown)
  })
})
