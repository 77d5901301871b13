// A received message on a terminal: nothing in it passes for another message.

import t from 'tap'
import { formatTime, textLines } from '../../../clients/cli/talk/show-message.js'

/** Columns, of ASCII and ideographs. */
const widthOf = (text: string): number =>
  Array.from(text, (c) => (c > '\u1100' ? 2 : 1)).reduce((sum, width) => sum + width, 0)

t.test('the time is local, and names its zone', (t) => {
  const zone = process.env['TZ']
  t.teardown(() => {
    if (zone === undefined) delete process.env['TZ']
    else process.env['TZ'] = zone
  })
  const at = Date.UTC(2026, 10, 30, 17, 4, 5, 999)
  for (const [name, shown] of [
    ['UTC', '2026-11-30 17:04:05+00:00'],
    ['Asia/Kolkata', '2026-11-30 22:34:05+05:30'],
    ['America/St_Johns', '2026-11-30 13:34:05-03:30'],
  ] as const) {
    process.env['TZ'] = name
    t.equal(formatTime(at), shown)
    t.equal(Date.parse(shown), at - 999, 'what is shown can be given to --since')
  }
  t.end()
})

t.test('a text fits in the columns, line by line, and nothing of it is lost', (t) => {
  const text = 'one two three four five six seven eight nine ten eleven twelve 一二三四五六七八九十'
  for (const columns of [30, 40, 80]) {
    const [first = '', ...rest] = textLines(text, 12, columns)
    t.ok(widthOf(first) <= columns - 12, `${columns}: ${first}`)
    for (const line of rest) t.ok(widthOf(line) <= columns - 10, `${columns}: ${line}`)
    t.equal([first, ...rest].join(''), text)
  }
  t.end()
})

t.test('a heading that leaves no room has the text below it', (t) => {
  t.strictSame(textLines('hello', 75, 80), ['', 'hello'])
  t.end()
})

t.test('what moves the cursor or turns the direction is shown as its number', (t) => {
  t.strictSame(textLines('a\rb\u001b[1A\u202ec\u200fd\ne', 10, Infinity), [
    'a\\u000db\\u001b[1A\\u202ec\\u200fd',
    'e',
  ])
  t.strictSame(textLines('a\tb', 10, 80), ['a    b'])
  t.end()
})
