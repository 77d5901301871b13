// The suite rsa: a short text is encrypted by RSA alone, with the header as OAEP's label.

import { privateDecrypt } from 'node:crypto'
import { compactDecrypt } from 'jose'
import t from 'tap'
import { ContentKeys, recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import { wholeEnvelope } from '../../../protocol/envelope/stored.js'
import type { Letter } from '../../../protocol/envelope/content-keys.js'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { readHeader } from '../../../protocol/envelope/header.js'
import { openJwe } from '../../../protocol/envelope/jwe.js'
import { openEnvelope } from '../../../protocol/envelope/open.js'
import { fromCompact, joinParts, splitParts, toCompact } from '../../../protocol/envelope/parts.js'
import type { EnvelopeParts } from '../../../protocol/envelope/parts.js'
import { encodeSpki } from '../../../protocol/rsa/formats.js'
import { oaepCapacity } from '../../../protocol/rsa/oaep.js'
import { entropy, fixture, flipped } from '../rsa/fixtures.js'

t.setTimeout(240_000)

const { key, openssl } = fixture(2048)
const refusal = new EnvelopeError()
const letter: Letter = {
  recipientKey: recipientKeyOf(encodeSpki(key)),
  term: 7,
  keySeed: new Uint8Array(32).fill(5),
  k: 2 ** 32 + 9,
  command: 3,
  sender: 'alice',
  recipient: 'bob',
  stream: new Uint8Array(16).fill(1),
  seq: 12,
  time: 1_760_000_000_123,
  text: 'Olá, Bob!',
}
const seal = (change: Partial<Letter> = {}): Uint8Array =>
  wholeEnvelope(new ContentKeys(2, 'rsa').seal({ ...letter, ...change }), { ...letter, ...change })

t.test('texts of up to k - 66 bytes are encrypted by RSA alone, longer ones are JWEs', (t) => {
  t.equal(oaepCapacity(key), key.bytes - 66)
  for (const length of [0, 1, key.bytes - 67, key.bytes - 66, key.bytes - 65, 1000]) {
    const text = 'x'.repeat(length)
    const body = seal({ text })
    const opened = openEnvelope(body, key, entropy, letter)
    t.equal(opened.text, text)
    t.equal(opened.header.suite, length <= key.bytes - 66 ? 'rsa' : 'jwe')
    t.equal(readHeader(body).suite, opened.header.suite, 'the header says which')
  }
  const wide = seal({ text: 'ã'.repeat((key.bytes - 66) / 2) })
  t.equal(readHeader(wide).suite, 'rsa', 'bytes count, not characters')
  t.end()
})

t.test('OpenSSL decrypts the text with the header as label', (t) => {
  const [header = '', ciphertext = '', ...rest] = toCompact(seal()).split('.')
  t.same(rest, ['', '', ''])
  const options = { key: openssl.private, oaepHash: 'sha256', oaepLabel: Buffer.from(header) }
  const text = privateDecrypt(options, Buffer.from(ciphertext, 'base64url'))
  t.equal(text.toString(), letter.text)
  t.match(JSON.parse(Buffer.from(header, 'base64url').toString()), {
    alg: 'RSA-OAEP-256',
    crit: ['suite'],
    suite: 'rsa',
    iss: 'alice',
    aud: 'bob',
  })
  t.end()
})

t.test('replicas agree, and no two messages have the same seed', (t) => {
  t.same(seal(), seal())
  const ciphertextOf = (change: Partial<Letter>): string =>
    Buffer.from(splitParts(seal(change)).encryptedKey).toString('hex')
  const changes: Partial<Letter>[] = [
    {},
    { k: 1 },
    { command: 4 },
    { term: 8 },
    { keySeed: new Uint8Array(32) },
    { sender: 'alic', recipient: 'ebob' },
  ]
  t.equal(new Set(changes.map(ciphertextOf)).size, changes.length)
  t.end()
})

t.test('a JOSE library refuses the suite rsa; our code opens it', async (t) => {
  const compact = toCompact(seal())
  await t.rejects(compactDecrypt(compact, openssl.private), {
    code: 'ERR_JOSE_NOT_SUPPORTED',
    message: 'Extension Header Parameter "suite" is not recognized',
  })
  t.same(Buffer.from(openJwe(compact, [key], entropy).plaintext).toString(), letter.text)
  t.same(fromCompact(compact), seal())
})

t.test('an envelope of one suite does not open as the other', (t) => {
  const alone = splitParts(seal())
  const jwe = splitParts(wholeEnvelope(new ContentKeys().seal(letter), letter))
  const wrong: EnvelopeParts[] = [
    { ...jwe, encryptedKey: alone.encryptedKey },
    { ...jwe, header: alone.header },
    { ...alone, header: jwe.header },
    { ...alone, encryptedKey: jwe.encryptedKey },
    { ...alone, header: splitParts(seal({ seq: 13 })).header },
    { ...alone, tag: new Uint8Array(16) },
    { ...alone, nonce: new Uint8Array(12), tag: new Uint8Array(16) },
    { ...alone, encryptedKey: new Uint8Array(0) },
  ]
  for (const parts of wrong) {
    const body = joinParts(parts)
    t.throws(() => openEnvelope(body, key, entropy), refusal)
    const compact = Object.values(parts).map((part: Uint8Array) =>
      Buffer.from(part).toString('base64url'),
    )
    t.throws(() => openJwe(compact.join('.'), [key], entropy), refusal)
  }
  const places = [{ sender: 'eve' }, { recipient: 'eve' }, { seq: 13 }, { time: 0 }]
  for (const place of places) {
    t.throws(() => openEnvelope(seal(), key, entropy, { ...letter, ...place }), refusal)
  }
  t.end()
})

t.test('every flipped bit gives the one error', (t) => {
  const body = seal()
  const texts = new Set<string>()
  let opened = 0
  for (let bit = 0; bit < body.length * 8; bit++) {
    try {
      openEnvelope(flipped(body, bit), key, entropy)
      opened++
    } catch (error) {
      texts.add(`${(error as Error).constructor.name} ${error}`)
    }
  }
  t.equal(opened, 0)
  t.same([...texts], [`EnvelopeError ${refusal}`])
  t.end()
})
