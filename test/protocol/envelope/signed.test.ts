import { constants, createPublicKey, verify } from 'node:crypto'
import t from 'tap'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { finishHeader, headerStart } from '../../../protocol/envelope/header.js'
import { openWith } from '../../../protocol/envelope/open.js'
import { field, joinParts, splitParts, toCompact } from '../../../protocol/envelope/parts.js'
import {
  openSigned,
  readSignedHeader,
  sealSigned,
  splitSigned,
} from '../../../protocol/envelope/signed.js'
import type { FoundPlace, SignedLetter } from '../../../protocol/envelope/signed.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import { concat } from '../../../protocol/rsa/octets.js'
import { publicKeyToPem } from '../../../protocol/rsa/pem.js'
import { pssSign } from '../../../protocol/rsa/pss.js'
import { entropy, flipped } from '../rsa/fixtures.js'
import { Person } from './people.js'

const [alice, bob, carol] = ['alice', 'bob', 'carol'].map((name) => new Person(name)) as [
  Person,
  Person,
  Person,
]

const letter: SignedLetter = {
  sender: 'alice',
  recipient: 'bob',
  stream: new Uint8Array(16).fill(1),
  seq: 12,
  time: 1_760_000_000_123,
  recipientKey: bob.pair.sealing,
  signingKey: alice.pair.signing,
  text: 'Olá, Bob! \u{1f600} \0',
}
const place: FoundPlace = { sender: 'alice', recipient: 'bob', stream: letter.stream, seq: 12 }
const signers = [alice.pair.signing]
const refusal = new EnvelopeError()
const body = sealSigned(letter, entropy)

t.test('a signed message opens at its place, with its time of writing', (t) => {
  for (const text of ['', letter.text, 'x'.repeat(64 * 1024)]) {
    const sealed = sealSigned({ ...letter, text }, entropy)
    t.same(openSigned(sealed, place, bob.openers, signers), { text, time: letter.time })
  }
  t.match(readSignedHeader(body), {
    kid: thumbprint(bob.pair.sealing),
    signer: alice.fingerprint,
    recipient: 'bob',
  })
  t.notSame(sealSigned(letter, entropy), body, 'a fresh content key for each message')
  t.end()
})

t.test('OpenSSL verifies the signature over the domain and all five parts', (t) => {
  const { envelope, signature } = splitSigned(body)
  const signed = concat(field('troca message 1'), envelope)
  const key = {
    key: createPublicKey(publicKeyToPem(alice.pair.signing)),
    padding: constants.RSA_PKCS1_PSS_PADDING,
    saltLength: 32,
  }
  t.ok(verify('sha256', signed, key, signature))
  t.notOk(verify('sha256', envelope, key, signature))
  t.equal(toCompact(envelope).split('.').length, 5)
  t.end()
})

t.test('a flipped bit, a missing byte and an extra byte give the one error', (t) => {
  for (let bit = 0; bit < 8 * body.length; bit += 61) {
    t.throws(() => openSigned(flipped(body, bit), place, bob.openers, signers), refusal, `${bit}`)
  }
  for (const other of [body.subarray(1), body.subarray(0, -1), concat(body, Uint8Array.of(0))]) {
    t.throws(() => openSigned(other, place, bob.openers, signers), refusal)
  }
  const { envelope } = splitSigned(body)
  t.throws(() => openSigned(envelope, place, bob.openers, signers), refusal, 'not signed at all')
  t.end()
})

t.test('a swapped sender, recipient, stream or seq does not open', (t) => {
  const changes: Partial<FoundPlace>[] = [
    { sender: 'carol' },
    { recipient: 'carol' },
    { stream: new Uint8Array(16).fill(2) },
    { seq: 13 },
  ]
  for (const change of changes) {
    const elsewhere = { ...place, ...change }
    t.throws(() => openSigned(body, elsewhere, bob.openers, signers), refusal)
  }
  const others = [carol.pair.signing]
  t.throws(() => openSigned(body, place, bob.openers, others), refusal, "another's signing key")
  t.throws(() => openSigned(body, place, carol.openers, signers), refusal, "another's key")
  t.throws(() => openSigned(body, place, bob.openers, []), refusal)
  t.end()
})

t.test("alice's message to bob is not valid when bob forwards it to carol as hers", (t) => {
  const parts = splitParts(splitSigned(body).envelope)
  const contentKey = bob.openers[0]!.unwrap(parts.encryptedKey)
  t.equal(
    openWith(
      { ...bob.openers[0]!, unwrap: () => contentKey },
      joinParts(parts),
      undefined,
      alice.fingerprint,
    ).text,
    letter.text,
  )
  const forCarol = { ...letter, recipient: 'carol', recipientKey: carol.pair.sealing }
  const found = { ...place, recipient: 'carol' }
  const { signature } = splitSigned(body)

  const resealed = splitSigned(sealSigned({ ...forCarol, signingKey: bob.pair.signing }, entropy))
  const borrowed = concat(resealed.envelope, field(signature))
  t.throws(() => openSigned(borrowed, found, carol.openers, signers), refusal, "alice's signature")
  const own = concat(resealed.envelope, field(resealed.signature))
  t.throws(() => openSigned(own, found, carol.openers, signers), refusal, "bob's signature")

  const header = finishHeader(
    headerStart(thumbprint(carol.pair.sealing), 'alice', 'carol', 'jwe', alice.fingerprint),
    ...([letter.stream, letter.seq, letter.time] as const),
  )
  const named = joinParts({ ...splitParts(resealed.envelope), header: Buffer.from(header) })
  t.throws(
    () => openSigned(concat(named, field(signature)), found, carol.openers, signers),
    refusal,
    'with a header that says so',
  )
  t.end()
})

t.test('a signature of other content by the same key is invalid', (t) => {
  const { envelope } = splitSigned(body)
  for (const domain of ['', 'troca keys 1']) {
    const signature = pssSign(alice.pair.signing, concat(field(domain), envelope), entropy)
    const forged = concat(envelope, field(signature))
    t.throws(() => openSigned(forged, place, bob.openers, signers), refusal)
  }
  t.end()
})

t.test('old messages still open after new keys on both sides', (t) => {
  const dave = new Person('dave')
  const sealed = sealSigned(
    { ...letter, recipient: 'dave', recipientKey: dave.pair.sealing },
    entropy,
  )
  dave.rotate()
  const erin = new Person('alice')
  const keys = [erin.pair.signing, ...signers]
  const found = { ...place, recipient: 'dave' }
  t.same(openSigned(sealed, found, dave.openers, keys).text, letter.text)
  t.end()
})
