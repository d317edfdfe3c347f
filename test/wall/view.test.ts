// The view and the URL, and how tiles fill a screen.
import { expect, test } from 'vitest'
import { columnsFor, pictureWidth } from '../../src/wall/logic/fit.js'
import { neighbour, ORDERS, readView, writeView } from '../../src/wall/logic/view.js'

test('the plain view has a plain URL', () => {
  expect(writeView(readView(''))).toBe('?')
})

test('what is chosen survives the URL', () => {
  const search =
    '?q=cam&domain=d.example.com&app=live&stream=d/live/a%2520b&shot=x&details=sinks&state=late&order=recent&size=xl&pin=d/live/a&pin=d/live/b&bar=off'
  const view = readView(search)
  expect(view).toEqual({
    q: 'cam',
    domain: 'd.example.com',
    app: 'live',
    stream: 'd/live/a%20b',
    shot: 'x',
    details: 'sinks',
    state: 'late',
    order: 'recent',
    size: 'xl',
    pins: ['d/live/a', 'd/live/b'],
    bar: false,
  })
  expect(readView(writeView(view))).toEqual(view)
  expect(writeView(view)).toContain('pin=d/live/a')
})

test('what the URL says wrongly is as by default', () => {
  expect(readView('?order=random&size=9&state=asleep&unknown=1')).toEqual(readView(''))
})

test('neighbours go around the ends', () => {
  expect(neighbour(ORDERS, 'stalest', 1)).toBe('name')
  expect(neighbour(ORDERS, 'name', -1)).toBe('stalest')
})

test.each([
  [1, 2],
  [3, 3],
  [4, 3],
  [50, 10],
])('%d tiles stand in %d columns, all in view', (count, columns) => {
  expect(columnsFor(count, 1264, 620)).toBe(columns)
})

test('more tiles than a screen holds stay large enough to see', () => {
  expect(columnsFor(500, 1264, 620)).toBe(10)
  expect(columnsFor(500, 344, 500)).toBe(2)
})

test('pictures are asked for in few widths', () => {
  expect([100, 170, 400, 5000].map((width) => pictureWidth(width, 1))).toEqual([
    160, 160, 480, 1920,
  ])
  expect(pictureWidth(300, 2)).toBe(640)
})
