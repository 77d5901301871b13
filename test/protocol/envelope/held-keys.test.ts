import t from 'tap'
import { checkKeys, checkNewKeys, publish } from '../../../protocol/envelope/held-keys.js'
import type { HeldKey } from '../../../protocol/envelope/held-keys.js'
import { derSequence } from '../../../protocol/rsa/der.js'
import { encodeSpki } from '../../../protocol/rsa/formats.js'
import { thumbprint } from '../../../protocol/rsa/jwk.js'
import type { RsaPublicKey } from '../../../protocol/rsa/keys.js'
import { RSASSA_PSS, oid } from '../rsa/elements.js'
import { ROCA_MODULUS, entropy, flipped } from '../rsa/fixtures.js'
import { Person } from './people.js'

const alice = new Person('alice')
alice.rotate()
alice.rotate()
const mallory = new Person('alice')
const [third, second, first] = alice.published as [HeldKey, HeldKey, HeldKey]

const refused = (keys: readonly HeldKey[], why: string, user = 'alice'): unknown =>
  t.equal(checkKeys(user, keys), null, why)

t.test('each pair is vouched for by itself and by the previous one', (t) => {
  const names = alice.pairs.map(({ sealing, signing }) => [
    thumbprint(sealing),
    thumbprint(signing),
  ])
  const checked = checkKeys('alice', alice.published)!
  t.same(
    checked.map(({ kid, fingerprint }) => [kid, fingerprint]),
    names,
  )
  t.ok(checkKeys('alice', [first]))
  t.end()
})

t.test('a pair left out, inserted, moved or changed is detected', (t) => {
  refused(alice.published, "another user's", 'bob')
  refused([third, first], 'one left out')
  refused([third, second], 'the first left out')
  refused([second, third, first], 'in another order')
  refused([mallory.published[0]!, second, first], 'nobody vouches for the newest')
  refused([third, second, mallory.published[0]!], 'another first')
  const { signing } = third
  const { publicKey: otherSealing } = mallory.published[0]!
  refused([{ ...third, publicKey: otherSealing }, second, first], 'another key to seal for')
  for (const name of ['ownSignature', 'previousSignature'] as const) {
    const changed = { ...signing, [name]: flipped(signing[name], 5) }
    refused([{ ...third, signing: changed }, second, first], name)
  }
  const signed = { ...first.signing, previousSignature: first.signing.ownSignature }
  refused([{ ...first, signing: signed }], 'a predecessor that is not there')
  refused([{ ...first, publicKey: new Uint8Array(9) }], 'no key at all')
  t.end()
})

t.test('one key for both sealing and signing is refused', (t) => {
  const { signing } = alice.pair
  refused([publish('alice', 1, { sealing: signing, signing }, null, entropy)], 'the same key')
  t.ok(checkKeys('alice', [publish('alice', 1, alice.pair, null, entropy)]))
  t.end()
})

t.test('a key that is not for every use, or in another encoding, is refused', (t) => {
  const algorithms = {
    'for PSS alone': derSequence(RSASSA_PSS),
    'without its null': derSequence(oid('2a864886f70d010101')),
  }
  for (const [what, algorithm] of Object.entries(algorithms)) {
    // encodeSpki writes the algorithm that the key came with.
    const limited = { limits: { uses: [], source: '', algorithm } }
    const sealing = { ...alice.pair.sealing, ...limited }
    refused([publish('alice', 1, { ...alice.pair, sealing }, null, entropy)], what)
    const { signing: of } = alice.pair
    const whole = publish('alice', 1, alice.pair, null, entropy)
    const spki = encodeSpki({ ...of, ...limited })
    refused([{ ...whole, signing: { ...whole.signing, publicKey: spki } }], `${what}, to sign`)
  }
  t.end()
})

t.test('a new pair is checked completely, a stored one is not checked again', (t) => {
  const { signing } = alice.pair
  const { e, bits, bytes } = signing
  const bad: Record<string, RsaPublicKey> = {
    ROCA: { n: ROCA_MODULUS, e, bits: 2048, bytes: 256 },
    'a square': { n: signing.p ** 2n, e, bits, bytes },
  }
  for (const [what, sealing] of Object.entries(bad)) {
    const pair = publish('alice', 1, { sealing, signing }, null, entropy)
    t.ok(checkKeys('alice', [pair]), what)
    t.notOk(checkNewKeys('alice', pair, []), what)
  }
  const sound = alice.published[2]!
  t.ok(checkNewKeys('alice', sound, []))
  t.notOk(checkNewKeys('bob', sound, []), "another user's")
  t.ok(checkNewKeys('alice', alice.published[0]!, alice.published.slice(1)))
  t.notOk(checkNewKeys('alice', alice.published[0]!, []), 'without the pairs before')
  t.end()
})

t.test('a password without the signing key cannot add a pair', (t) => {
  const pair = { ...mallory.pair }
  const own = publish('alice', 4, pair, mallory.pair.signing, entropy)
  refused([own, ...alice.published], 'by another signing key')
  t.ok(
    checkKeys('alice', [
      publish('alice', 4, pair, alice.pair.signing, entropy),
      ...alice.published,
    ]),
  )
  t.same(own.publicKey, encodeSpki(pair.sealing))
  t.end()
})
