import { createDecipheriv, createHash, hkdfSync, privateDecrypt } from 'node:crypto'
import t from 'tap'
import { ContentKeys, deriveContentKey } from '../../../protocol/envelope/content-keys.js'
import { wholeEnvelope } from '../../../protocol/envelope/stored.js'
import { recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import type { Letter } from '../../../protocol/envelope/content-keys.js'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { readHeader } from '../../../protocol/envelope/header.js'
import {
  openEnvelope,
  openerOf,
  openWith,
  unwrapContentKey,
} from '../../../protocol/envelope/open.js'
import { fromCompact, joinParts, splitParts, toCompact } from '../../../protocol/envelope/parts.js'
import { RecentlyUsed } from '../../../protocol/recently-used.js'
import { encodeSpki } from '../../../protocol/rsa/formats.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import { oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import { entropy, fixture, flipped } from '../rsa/fixtures.js'

t.setTimeout(240_000)

const { key, openssl } = fixture(2048)
const stranger = fixture(3072)
const recipientKey = recipientKeyOf(encodeSpki(key))

const letter: Letter = {
  recipientKey,
  term: 7,
  keySeed: new Uint8Array(32).fill(5),
  k: 2 ** 32 + 9,
  command: 3,
  sender: 'alice',
  recipient: 'bob',
  stream: new Uint8Array(16).fill(1),
  seq: 12,
  time: 1_760_000_000_123,
  text: 'Olá, Bob! \u{1f600} \ufeff\0',
}

const seal = (change: Partial<Letter> = {}, keys = new ContentKeys()): Uint8Array =>
  wholeEnvelope(keys.seal({ ...letter, ...change }), { ...letter, ...change })
const refusal = new EnvelopeError()

t.test('a sealed message opens, with its place', (t) => {
  for (const text of ['', letter.text, 'x'.repeat(100_000), '\ufeffBOM']) {
    const { header, text: opened } = openEnvelope(seal({ text }), key, entropy, letter)
    t.equal(opened, text)
    const { sender, recipient, stream, seq, time } = letter
    t.same(
      { ...header, stream: new Uint8Array(header.stream) },
      { suite: 'jwe', kid: recipientKey.kid, signer: null, sender, recipient, stream, seq, time },
    )
    t.same(readHeader(seal({ text })), header)
  }
  t.end()
})

t.test('the bytes are a function of the letter, so replicas agree', (t) => {
  const body = createHash('sha256').update(seal()).digest('hex')
  const warm = new ContentKeys(2)
  for (let i = 0; i < 3; i++) {
    for (const recipient of ['bob', 'carol', 'dave']) warm.seal({ ...letter, recipient })
    t.equal(createHash('sha256').update(seal({}, warm)).digest('hex'), body)
  }
  warm.seal({ ...letter, keySeed: new Uint8Array(32).fill(9) })
  t.equal(createHash('sha256').update(seal({}, warm)).digest('hex'), body, 'after another epoch')
  t.end()
})

t.test('the nonce is k and command; the content key is of the pair and its key epoch', (t) => {
  t.same(Buffer.from(splitParts(seal()).nonce).toString('hex'), '000000010000000900000003')
  const keyOf = (change: Partial<Letter>): string =>
    Buffer.from(splitParts(seal(change)).encryptedKey).toString('hex')
  const common = keyOf({})
  t.equal(keyOf({ k: 1, command: 0, seq: 1, time: 0, text: '' }), common)
  const others = [
    keyOf({ term: 8 }),
    keyOf({ keySeed: new Uint8Array(32).fill(6) }),
    keyOf({ sender: 'alic', recipient: 'ebob' }),
    keyOf({ recipient: 'bo' }),
    keyOf({ sender: 'bob', recipient: 'alice' }),
    keyOf({ recipientKey: recipientKeyOf(encodeSpki(stranger.key)) }),
  ]
  t.equal(new Set([common, ...others]).size, 7)
  t.end()
})

t.test('the derivation is HKDF-SHA-256 over labelled, length-prefixed fields', (t) => {
  const field = (text: string): Buffer => {
    const length = Buffer.alloc(4)
    length.writeUInt32BE(Buffer.byteLength(text))
    return Buffer.concat([length, Buffer.from(text)])
  }
  const term = Buffer.from('0000000000000007', 'hex')
  const pair = Buffer.concat([term, field('alice'), field('bob'), field('kid')])
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', letter.keySeed, '', Buffer.concat([field(label), pair]), 32))
  t.same(deriveContentKey(letter, 'alice', 'bob', 'kid'), {
    contentKey: derive('troca cek'),
    oaepSeed: derive('troca oaep'),
  })
  t.end()
})

t.test("OpenSSL's RSA-OAEP-256 and A256GCM open an envelope", (t) => {
  const compact = toCompact(seal())
  const [protectedHeader = '', ...rest] = compact.split('.')
  const part = (i: number): Buffer => Buffer.from(rest[i] ?? '', 'base64url')
  const contentKey = privateDecrypt({ key: openssl.private, oaepHash: 'sha256' }, part(0))
  const decipher = createDecipheriv('aes-256-gcm', contentKey, part(1))
  decipher.setAAD(Buffer.from(protectedHeader, 'ascii')).setAuthTag(part(3))
  const text = decipher.update(part(2), undefined, 'utf8') + decipher.final('utf8')
  t.equal(text, letter.text)
  t.same(JSON.parse(Buffer.from(protectedHeader, 'base64url').toString()), {
    alg: 'RSA-OAEP-256',
    enc: 'A256GCM',
    kid: thumbprint(key),
    iss: 'alice',
    aud: 'bob',
    stream: Buffer.from(letter.stream).toString('base64url'),
    seq: 12,
    time: 1_760_000_000_123,
  })
  t.end()
})

t.test('compact serialization goes both ways and is canonical', (t) => {
  const body = seal()
  const compact = toCompact(body)
  t.same(fromCompact(compact), body)
  const broken = [
    '',
    '....',
    `${compact}.`,
    `${compact}=`,
    compact.replace('.', '..'),
    ` ${compact}`,
  ]
  for (const text of broken) t.throws(() => fromCompact(text), refusal)
  t.end()
})

t.test('an envelope does not open at another place', (t) => {
  const body = seal()
  const places: readonly Partial<Letter>[] = [
    { sender: 'mallory' },
    { recipient: 'carol' },
    { stream: new Uint8Array(16) },
    { seq: 13 },
    { time: 0 },
  ]
  for (const change of places) {
    t.throws(() => openEnvelope(body, key, entropy, { ...letter, ...change }), refusal)
  }
  t.throws(() => openEnvelope(body, stranger.key, entropy), refusal, 'nor with another key')
  t.end()
})

t.test('a header of another message, or rewritten, does not open', (t) => {
  const parts = splitParts(seal())
  const { header: foreign } = splitParts(seal({ seq: 13 }))
  t.throws(() => openEnvelope(joinParts({ ...parts, header: foreign }), key, entropy), refusal)
  const text = Buffer.from(parts.header).toString()
  const variants = [
    text.replace('{', '{ '),
    text.replace('{', '{"zip":"DEF",'),
    text.replace('"seq":12', '"seq":1.2e1'),
    text.replace('"seq":12', '"seq":12,"seq":12'),
    text.replace('"seq":12', '"seq":-12'),
    text.replace('A256GCM', 'A128GCM'),
    text.replace('RSA-OAEP-256', 'dir'),
    text.replace('"iss":"alice"', '"iss":null'),
    'null',
    '[]',
    '',
    '\xff',
  ]
  for (const variant of variants) {
    const body = joinParts({ ...parts, header: Buffer.from(variant, 'latin1') })
    t.throws(() => readHeader(body), refusal, variant)
    t.throws(() => openEnvelope(body, key, entropy), refusal, variant)
  }
  t.end()
})

t.test('every flipped bit gives the one error', (t) => {
  const body = seal({ text: 'short' })
  // The Opener caches, as a replica's does: an encrypted key is unwrapped once.
  const contentKeys = new RecentlyUsed<string, Uint8Array>(2)
  const unwrap = (encryptedKey: Uint8Array): Uint8Array =>
    contentKeys.getOrMake(Buffer.from(encryptedKey).toString('hex'), () =>
      unwrapContentKey(encryptedKey, key, entropy),
    )
  const opener = { ...openerOf(key, entropy), unwrap }
  t.equal(openWith(opener, body, letter).text, 'short')
  const texts = new Set<string>()
  let opened = 0
  for (let bit = 0; bit < body.length * 8; bit++) {
    try {
      openWith(opener, flipped(body, bit), letter)
      opened++
    } catch (error) {
      texts.add(`${(error as Error).constructor.name} ${error}`)
    }
  }
  t.equal(opened, 0)
  t.same([...texts], [`EnvelopeError ${refusal}`])
  for (let length = 0; length < body.length; length += 11) {
    t.throws(() => openEnvelope(body.subarray(0, length), key, entropy), refusal)
  }
  t.throws(() => openEnvelope(Buffer.concat([body, Buffer.of(0)]), key, entropy), refusal)
  t.end()
})

t.test(
  'a content key that does not decrypt, or has another length, goes on as a random one',
  (t) => {
    const { encryptedKey } = splitParts(seal())
    const { contentKey } = deriveContentKey(letter, 'alice', 'bob', recipientKey.kid)
    t.same(unwrapContentKey(encryptedKey, key, entropy), contentKey)
    const short = oaepEncrypt(key, entropy(16), entropy(32))
    for (const wrong of [flipped(encryptedKey, 99), encryptedKey.subarray(1), short]) {
      const [a, b] = [0, 1].map(() => unwrapContentKey(wrong, key, entropy))
      t.equal(a?.length, 32)
      t.notSame(a, b)
    }
    const faulty = { ...key, dP: key.dP + 2n }
    t.throws(() => unwrapContentKey(encryptedKey, faulty, entropy), { code: 'fault' })
    t.end()
  },
)

t.test('input that could make replicas differ or repeat a nonce is refused', (t) => {
  const bad: readonly Partial<Letter>[] = [
    { k: -1 },
    { k: 0.5 },
    { command: 2 ** 32 },
    { command: -1 },
    { stream: new Uint8Array(15) },
    { seq: 1.5 },
    { time: NaN },
    { keySeed: new Uint8Array(31) },
  ]
  for (const change of bad) t.throws(() => seal(change), { name: 'InvariantError' })
  t.end()
})
