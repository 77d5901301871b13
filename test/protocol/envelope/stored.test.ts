// The stored form of a sealed message, and the envelope made of it.

import t from 'tap'
import { ContentKeys, recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import { openEnvelope } from '../../../protocol/envelope/open.js'
import { splitParts, TAG_LENGTH } from '../../../protocol/envelope/parts.js'
import { encodeShared, nonceOf, wholeEnvelope } from '../../../protocol/envelope/stored.js'
import { encodeSpki } from '../../../protocol/rsa/formats.js'
import { entropy, fixture } from '../rsa/fixtures.js'

const { key } = fixture(2048)
const letter = {
  recipientKey: recipientKeyOf(encodeSpki(key)),
  term: 3,
  keySeed: new Uint8Array(32).fill(5),
  k: 9,
  command: 3,
  sender: 'alice',
  recipient: 'bob',
  stream: new Uint8Array(16).fill(1),
  seq: 12,
  time: 1_760_000_000_123,
  text: 'olá',
}

t.test('messages of a pair in a key epoch share all but ciphertext and tag', async (t) => {
  const keys = new ContentKeys()
  const letters = [letter, { ...letter, k: 10, command: 0, seq: 13, time: 1, text: 'adeus' }]
  const sealed = letters.map((one) => keys.seal(one))
  t.equal(sealed[0]!.shared, sealed[1]!.shared, 'one object, so that a batch sees it at once')
  for (const [i, one] of letters.entries()) {
    t.equal(sealed[i]!.own.length, Buffer.byteLength(one.text) + TAG_LENGTH)
    const envelope = wholeEnvelope(sealed[i]!, one)
    t.equal(openEnvelope(envelope, key, entropy, one).text, one.text)
    t.same(splitParts(envelope).nonce, nonceOf(one.k, one.command))
  }
  const other = keys.seal({ ...letter, recipient: 'carol' })
  t.notSame(other.shared, sealed[0]!.shared)
})

t.test('at another place of the log the envelope is another one, and does not open', async (t) => {
  const sealed = new ContentKeys().seal(letter)
  for (const change of [{ k: 8 }, { command: 2 }, { seq: 11 }, { time: 0 }]) {
    const envelope = wholeEnvelope(sealed, { ...letter, ...change })
    t.throws(() => openEnvelope(envelope, key, entropy, { ...letter, ...change }))
  }
})

t.test('without a shared part the message is the whole envelope', async (t) => {
  const own = new Uint8Array([1, 2, 3])
  t.equal(wholeEnvelope({ shared: new Uint8Array(0), own }, letter), own)
})

t.test('a shared part is the start of the header after its length, then the key', async (t) => {
  const shared = encodeShared('é', new Uint8Array([7]))
  t.same([...shared], [0, 2, 0xc3, 0xa9, 7])
})
