// The log: only allowed fields are written, and values from outside can harm neither a terminal,
// nor a program that reads lines, nor the disk.

import { readFileSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openLog, permitted } from '../../../daemons/log/log.js'
import type { LogFields } from '../../../daemons/log/log.js'
import { SparingLog } from '../../../daemons/log/sparing-log.js'
import { BarePeer } from '../net/bare-peer.js'
import { startToy } from '../runtime/toy-replica.js'

const options = (directory: string) => ({
  ...{ name: 'p1', directory, level: 'info' as const },
  ...{ maxFileBytes: 10_000, maxFiles: 2, stdout: false },
})

/** All controls, separators, direction marks and surrogates of Unicode, in one text. */
const NASTY = [
  ...Array.from({ length: 0xa0 }, (_, code) => code),
  ...[0x200b, 0x200e, 0x200f, 0x2028, 0x2029, 0x202a, 0x202e, 0x2066, 0x2069, 0xfeff],
]
  .map((code) => String.fromCharCode(code))
  .join('')

t.test('fields that are not allowed are left out, and counted', async (t) => {
  const given = { slot: 2, password: 'secret', text: 'hello', token: 'abc', __proto__x: 1 }
  const written = permitted(given)
  t.same(written, { slot: 2, fieldsLeftOut: 4 })
})

t.test('an event with any value is one line of JSON without controls', async (t) => {
  const directory = t.testdir()
  const log = openLog(options(directory))
  const fakeLine = '"}\n{"at":"2026","replica":"p1","level":"info","event":"all-is-well"}'
  const values = [
    NASTY,
    '\u001b[2J\u001b]0;title\u0007\u009b31m',
    fakeLine,
    '\r\n\u2028\u2029\u0085next',
    `${'a'.repeat(255)}\u{1f600}`,
    '\ud83d lone \ude00',
    '\u202egnp.exe',
  ]
  for (const reason of values) log('warn', 'peer-error', { reason, index: NaN, lamport: Infinity })
  await new Promise(setImmediate)
  const raw = readFileSync(join(directory, 'p1.log'), 'utf8')
  const lines = raw.split('\n').filter((line) => line !== '')
  t.equal(lines.length, values.length, 'a line each')
  // oxlint-disable-next-line no-control-regex
  t.notMatch(raw, /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/)
  t.equal(raw, Buffer.from(raw).toString(), 'no lone surrogates')
  for (const [i, line] of lines.entries()) {
    const { event, level, reason, index, lamport } = JSON.parse(line) as Record<string, unknown>
    t.match(
      { event, level, index, lamport },
      {
        ...{ event: 'peer-error', level: 'warn' },
        ...{ index: 'NaN', lamport: 'Infinity' },
      },
    )
    t.notMatch(reason, /\p{Surrogate}/u, `text ${i}`)
  }
})

t.test('a long text is cut, with the number of characters left out', async (t) => {
  const { reason, stack } = permitted({ reason: 'x'.repeat(70_000), stack: 'y'.repeat(70_000) })
  t.match(reason, /^x{256}… 69744 more$/)
  t.match(stack, /^y{4096}… 65904 more$/)
})

t.test('files are capped in size and number', async (t) => {
  const directory = t.testdir()
  const log = openLog(options(directory))
  const lines = 400
  for (let index = 0; index < lines; index++) {
    log('info', 'peer-error', { index, reason: 'z'.repeat(200) })
  }
  await new Promise(setImmediate)
  const files = readdirSync(directory)
  t.same(files.sort(), ['p1.1.log', 'p1.log'])
  const bytes = files.map((file) => statSync(join(directory, file)).size)
  t.ok(Math.max(...bytes) <= 10_000, `${bytes.join(' ')} bytes`)
  const kept = files.map((file) => readFileSync(join(directory, file), 'utf8')).join('')
  t.match(kept, `"index":${lines - 1}`, 'the newest stay')
})

t.test(
  'events that strangers can cause are written sparingly, and the others are counted',
  async (t) => {
    let now = 0
    const lines: LogFields[] = []
    const sparing = new SparingLog(
      (_level, _event, fields) => lines.push(fields),
      () => now,
    )
    const flood = 10_000
    for (let index = 0; index < flood; index++) sparing.log('warn', 'link-refused', { index })
    const burst = lines.length
    t.ok(burst > 10 && burst < 100, `${burst} lines of ${flood}`)
    t.ok(lines.every((fields) => fields['heldBack'] === undefined))
    now += 1_000
    sparing.log('warn', 'link-refused', { index: flood })
    t.same(lines.at(-1), { index: flood, heldBack: flood - burst })
    sparing.log('warn', 'link-refused', { index: flood + 1 })
    t.same(lines.at(-1), { index: flood + 1 }, 'told once')
    now += 3_600_000
    const before = lines.length
    for (let index = 0; index < flood; index++) sparing.log('warn', 'link-refused', { index })
    t.equal(lines.length - before, burst, 'a long pause allows no more than a burst')
  },
)

t.test('a flood of refused strangers at a real port fills no log', async (t) => {
  const s1 = await startToy({ role: 'persistence', slot: 1 }, [], { credentials: null })
  t.teardown(() => s1.stop())
  const flood = 200
  for (let i = 0; i < flood; i++) {
    const stranger = await BarePeer.connectPlain(s1.port)
    void stranger.hello()
    await stranger.refusal()
  }
  const { length } = s1.logged.all
  t.ok(length < flood, `${length} lines of ${flood}`)
  t.equal(s1.links.traffic.refused.get('FORBIDDEN'), flood, 'each is counted')
})
