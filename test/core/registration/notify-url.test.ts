import { describe, expect, test } from 'vitest'
import {
  nearlySameUrl,
  notifyUrl,
  pathPrefix,
  sameUrl,
  showNotifyUrl,
  showUrl,
} from '../../../src/core/registration/notify-url.ts'

const DOMAIN = 'play.example.com'
const URL_ = `https://hook.example.com/callbacks/${DOMAIN}`

test.each([
  ['https://hook.example.com', URL_],
  ['https://HOOK.example.com:443/', URL_],
  ['https://hook.example.com/a/b/', `https://hook.example.com/a/b/callbacks/${DOMAIN}`],
])('notifyUrl under %s', (publicUrl, expected) => {
  expect(notifyUrl(publicUrl, DOMAIN)).toBe(expected)
})

test.each([
  [URL_, ''],
  [`https://hook.example.com/a/callbacks/b/callbacks/${DOMAIN}`, '/a/callbacks/b'],
])('pathPrefix of %s', (url, expected) => {
  expect(pathPrefix(url)).toBe(expected)
})

test.each([
  ['https://a:b@x.example.com:8443/cb/hush?token=hush#hush', 'https://x.example.com:8443/…'],
  ['https://x.example.com/?token=hush', 'https://x.example.com/…'],
  ['https://x.example.com', 'https://x.example.com'],
  ['nonsense hush', 'something that is no URL'],
])('showUrl of %s', (url, expected) => {
  expect(showUrl(url)).toBe(expected)
})

test.each([
  [URL_, URL_],
  [
    `https://hook.example.com/hush/callbacks/hush/callbacks/${DOMAIN}`,
    `https://hook.example.com/…/callbacks/${DOMAIN}`,
  ],
])('showNotifyUrl of %s', (url, expected) => {
  expect(showNotifyUrl(url)).toBe(expected)
})

describe('comparing', () => {
  test.each([
    ['the same', URL_, true, true],
    ['another case of the host', URL_.replace('hook', 'HOOK'), true, true],
    ['a default port', URL_.replace('.com/', '.com:443/'), true, true],
    ['the other scheme', URL_.replace('https', 'http'), false, true],
    ["the other scheme's default port", URL_.replace('.com/', '.com:80/'), false, true],
    ['a trailing slash', `${URL_}/`, false, true],
    ['another port', URL_.replace('.com/', '.com:8443/'), false, false],
    ['another host', URL_.replace('hook', 'hooks'), false, false],
    ['another path', URL_.replace('callbacks', 'callback'), false, false],
    ['a query', `${URL_}?a=b`, false, false],
    ['no URL', 'nonsense', false, false],
    ['characters that need not be encoded', URL_.replace('callbacks', '%63allbacks'), true, true],
    ['an encoded slash', URL_.replace('/callbacks/', '/callbacks%2F'), false, false],
  ])('%s', (_, other, same, nearly) => {
    expect(sameUrl(URL_, other)).toBe(same)
    expect(nearlySameUrl(URL_, other)).toBe(nearly)
  })

  test.each([
    ['https://h.example.com/%C3%BC~/cb', 'https://h.example.com/%c3%bc%7E/cb', true],
    ['https://h.example.com/\u00fc/cb', 'https://h.example.com/%c3%bc/cb', true],
    ['https://h.example.com/a?b=%2a', 'https://h.example.com/a?b=%2A', true],
    ['https://h.example.com/%2Fa', 'https://h.example.com//a', false],
    ['https://h.example.com/%25%37%45', 'https://h.example.com/~', false],
  ])('%s and %s', (a, b, same) => {
    expect(sameUrl(a, b)).toBe(same)
    expect(nearlySameUrl(a.replace('https', 'http'), b)).toBe(same)
  })

  test('a prefix has one spelling', () => {
    expect(pathPrefix('https://h.example.com/%7Ea%c3%bc/callbacks/d')).toBe('/~a%C3%BC')
  })

  test('what is no URL equals itself', () => {
    expect(sameUrl('nonsense', 'nonsense')).toBe(true)
  })
})
