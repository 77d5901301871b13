// Texts from stdin: taken as they are, or refused.

import { Readable } from 'node:stream'
import t from 'tap'
import { linesOf, readAtMost, readText } from '../../../clients/cli/talk/input.js'

const MOST = 16

async function lines(...chunks: (string | Buffer)[]): Promise<(string | null)[]> {
  const input = Readable.from(
    chunks.map((chunk) => Buffer.from(chunk)),
    { objectMode: true },
  )
  const all: (string | null)[] = []
  for await (const { number, bytes } of linesOf(input, MOST)) {
    all.push(bytes && bytes.toString())
    t.equal(number, all.length)
  }
  return all
}

t.test('lines end at LF and CRLF only, wherever the chunks are cut', async (t) => {
  t.strictSame(await lines('a\nb\r\nc'), ['a', 'b', 'c'])
  t.strictSame(await lines('a\r', '\nb\r', 'c\n'), ['a', 'b\rc'])
  t.strictSame(await lines('a\u2028b\u0085c\n\n'), ['a\u2028b\u0085c', ''])
  t.strictSame(await lines(), [])
  t.strictSame(await lines('\n'), [''])
})

t.test('a byte order mark is no part of the first line, and of no other', async (t) => {
  t.strictSame(await lines('\ufeffa\n\ufeffb\n'), ['a', '\ufeffb'])
})

t.test('a line that is too long is passed over, and those around it are not', async (t) => {
  const long = 'x'.repeat(MOST + 1)
  t.strictSame(await lines(`a\n${long}`, `${long}\nb\n`), ['a', null, 'b'])
  t.strictSame(await lines(`${'x'.repeat(MOST)}\r\n`), ['x'.repeat(MOST)])
})

t.test('what is no UTF-8, empty or too long is refused with the reason', (t) => {
  t.strictSame(readText(Buffer.from('olá'), MOST), { text: 'olá' })
  t.match(readText(Buffer.from([0x61, 0xff]), MOST), { refused: /not UTF-8/ })
  t.match(readText(Buffer.alloc(0), MOST), { refused: /empty/ })
  t.match(readText(Buffer.alloc(MOST + 1, 'x'), MOST), { refused: /more than 16 bytes/ })
  t.match(readText(null, MOST), { refused: /more than 16 bytes/ })
  t.end()
})

t.test('stdin is read to its end, or to the limit', async (t) => {
  const of = (...chunks: string[]): Readable =>
    Readable.from(chunks.map((chunk) => Buffer.from(chunk)))
  t.equal((await readAtMost(of('a\n', 'b\r\n'), MOST))?.toString(), 'a\nb')
  t.equal((await readAtMost(of('\ufeffa'), MOST))?.toString(), 'a')
  let given = 0
  async function* endless() {
    for (;;) {
      given += 8
      yield Buffer.alloc(8, 'x')
    }
  }
  t.equal(await readAtMost(endless(), MOST), null)
  t.ok(given < 4 * MOST, 'no more is read than the limit needs')
})
