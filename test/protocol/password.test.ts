import t from 'tap'
import { MAX_PASSWORD_BYTES, normalForm, whyUnusable } from '../../protocol/password.js'

const DECOMPOSED = 'Zoe\u0308'

t.test('length counts characters of the normal form', async (t) => {
  t.equal(normalForm(DECOMPOSED), 'Zo\u00eb')
  t.equal(whyUnusable('eight ch', 8), null)
  t.match(whyUnusable('seven c', 8), /7 of the 8 characters/)
  t.match(whyUnusable(DECOMPOSED, 4), /3 of the 4 characters/, 'not its 4 code points')
  t.equal(whyUnusable('\u{1f600}'.repeat(8), 8), null, 'not UTF-16 code units: 8 are 16 of them')
  t.match(whyUnusable('\u{1f600}'.repeat(7), 8), /7 of the 8/)
  t.equal(whyUnusable('x', 1), null)
  t.equal(whyUnusable('', 1), 'it is empty')
})

t.test('spaces are characters as any; controls and line breaks are refused', async (t) => {
  t.equal(whyUnusable('        ', 8), null)
  t.equal(whyUnusable('with\u00a0space', 8), null)
  for (const one of ['\0', '\n', '\r', '\t', '\u001b', '\u007f', '\u0085', '\u2028', '\u2029']) {
    const name = one.codePointAt(0)!.toString(16)
    t.match(whyUnusable(`long enough${one}`, 8), /control character/, name)
  }
  t.match(whyUnusable('half of \ud83d a pair', 8), /control character/, 'UTF-8 has no such')
})

t.test('a password that grows beyond its field in normal form is refused', async (t) => {
  t.equal(whyUnusable('x'.repeat(MAX_PASSWORD_BYTES), 8), null)
  t.match(whyUnusable('x'.repeat(MAX_PASSWORD_BYTES + 1), 8), /1025 bytes; 1024 are the most/)
  // U+1D160, a musical note, has three code points in NFC: 12 bytes in place of 4.
  t.match(whyUnusable('\u{1d160}'.repeat(100), 8), /1200 bytes/)
})
