// Envelopes and the JOSE library `jose`: jose opens our envelopes with the key as JWK or PEM, ours
// opens compact JWEs of jose, and every invalid JWE gives the one error.

import { createCipheriv, createPrivateKey, createPublicKey } from 'node:crypto'
import { CompactEncrypt, compactDecrypt, importJWK, importPKCS8 } from 'jose'
import t from 'tap'
import { ContentKeys, recipientKeyOf } from '../../../protocol/envelope/content-keys.js'
import { wholeEnvelope } from '../../../protocol/envelope/stored.js'
import { EnvelopeError } from '../../../protocol/envelope/envelope-error.js'
import { openJwe } from '../../../protocol/envelope/jwe.js'
import { fromCompact, joinParts, splitParts, toCompact } from '../../../protocol/envelope/parts.js'
import type { EnvelopeParts } from '../../../protocol/envelope/parts.js'
import { encodeSpki } from '../../../protocol/rsa/formats.js'
import { privateKeyToJwk, publicKeyToJwk, thumbprint } from '../../../protocol/rsa/jwk.js'
import { oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import { privateKeyToEncryptedPem, privateKeyToPem } from '../../../protocol/rsa/pem.js'
import { entropy, fixture, flipped } from '../rsa/fixtures.js'

t.setTimeout(240_000)

const { key } = fixture(2048)
const other = fixture(3072).key
const refusal = new EnvelopeError()
const HEADER = { alg: 'RSA-OAEP-256', enc: 'A256GCM' }

function seal(text: string, recipient = key): string {
  const letter = {
    recipientKey: recipientKeyOf(encodeSpki(recipient)),
    term: 1,
    keySeed: entropy(32),
    k: 1,
    command: 0,
    sender: 'alice',
    recipient: 'bob',
    stream: entropy(16),
    seq: 1,
    time: 1_760_000_000_123,
    text,
  }
  return toCompact(wholeEnvelope(new ContentKeys().seal(letter), letter))
}

async function theirs(
  plaintext: Uint8Array,
  header: Record<string, string> = {},
  recipient = key,
): Promise<string> {
  const jwk = await importJWK({ ...publicKeyToJwk(recipient) }, 'RSA-OAEP-256')
  return new CompactEncrypt(plaintext).setProtectedHeader({ ...HEADER, ...header }).encrypt(jwk)
}

const textOf = (octets: Uint8Array): string => Buffer.from(octets).toString()

t.test('jose opens our envelopes, with every export form of the key', async (t) => {
  const passphrase = 'open sesame'
  const keys = {
    JWK: await importJWK({ ...privateKeyToJwk(key) }, 'RSA-OAEP-256'),
    'PKCS#8': await importPKCS8(privateKeyToPem(key), 'RSA-OAEP-256'),
    'PKCS#8 under a passphrase': createPrivateKey({
      key: privateKeyToEncryptedPem(key, passphrase, entropy, 1000),
      passphrase,
    }),
  }
  for (const [form, joseKey] of Object.entries(keys)) {
    for (const text of ['', 'Olá \u{1f600}', 'x'.repeat(64 * 1024)]) {
      const { plaintext, protectedHeader } = await compactDecrypt(seal(text), joseKey)
      t.equal(textOf(plaintext), text, form)
      t.match(protectedHeader, { ...HEADER, kid: thumbprint(key), iss: 'alice', aud: 'bob' })
    }
  }
  await t.rejects(compactDecrypt(seal('x', other), keys.JWK), { code: 'ERR_JWE_DECRYPTION_FAILED' })
})

t.test('our code opens JWEs of jose, with and without kid', async (t) => {
  const kid = thumbprint(key)
  const headers = [{}, { kid }, { kid: 'some other name' }, { typ: 'JWE', cty: 'text/plain' }]
  for (const header of headers) {
    for (const content of [entropy(0), entropy(1), Buffer.from('olá'), entropy(70_000)]) {
      const jwe = await theirs(content, header)
      const opened = openJwe(jwe, [other, key], entropy)
      t.same(opened.plaintext, new Uint8Array(content))
      t.same(opened.header, { ...HEADER, ...header })
    }
  }
})

t.test('a message survives the way through both implementations', async (t) => {
  const { plaintext } = await compactDecrypt(
    seal('and back'),
    createPrivateKey(privateKeyToPem(key)),
  )
  const jwe = await theirs(plaintext, { kid: thumbprint(other) }, other)
  t.equal(textOf(openJwe(jwe, [key, other], entropy).plaintext), 'and back')
})

t.test('an invalid JWE gives the one error', async (t) => {
  const jwe = await theirs(Buffer.from('text'))
  const publicKey = createPublicKey(privateKeyToPem(key))
  const by = (header: { alg: string; enc: string }): Promise<string> =>
    new CompactEncrypt(Buffer.from('text')).setProtectedHeader(header).encrypt(publicKey)
  const parts = splitParts(fromCompact(jwe))
  const withHeader = (header: unknown): string =>
    toCompact(joinParts({ ...parts, header: Buffer.from(JSON.stringify(header)) }))
  const wrong = [
    await by({ ...HEADER, alg: 'RSA-OAEP' }),
    await by({ ...HEADER, alg: 'RSA-OAEP-512' }),
    await by({ ...HEADER, enc: 'A128GCM' }),
    await by({ ...HEADER, enc: 'A256CBC-HS512' }),
    withHeader({ ...HEADER, zip: 'DEF' }),
    withHeader({ ...HEADER, crit: ['exp'], exp: 1 }),
    withHeader([]),
    withHeader(null),
    withHeader('x'),
    toCompact(joinParts({ ...parts, header: Buffer.from('{') })),
    await theirs(Buffer.from('text'), {}, other),
    await theirs(Buffer.from('text'), { kid: thumbprint(key) }, other),
    '',
    'a.b.c.d.e',
    jwe.slice(0, -1),
    `${jwe}.`,
    jwe.replace(/\..*?\./, '..'),
  ]
  for (const text of wrong) t.throws(() => openJwe(text, [key], entropy), refusal)
  t.throws(() => openJwe(jwe, [], entropy), refusal)
  t.equal(textOf(openJwe(jwe, [key], entropy).plaintext), 'text')
})

t.test('zip, crit and other algorithms are refused even if authenticated', (t) => {
  const byHand = (header: unknown): string => {
    const [contentKey, nonce] = [entropy(32), entropy(12)]
    const octets = Buffer.from(JSON.stringify(header))
    const cipher = createCipheriv('aes-256-gcm', contentKey, nonce)
    cipher.setAAD(Buffer.from(octets.toString('base64url')))
    const ciphertext = Buffer.concat([cipher.update('text'), cipher.final()])
    const encryptedKey = oaepEncrypt(key, contentKey, entropy(32))
    const tag = cipher.getAuthTag()
    return toCompact(joinParts({ header: octets, encryptedKey, nonce, ciphertext, tag }))
  }
  t.equal(textOf(openJwe(byHand(HEADER), [key], entropy).plaintext), 'text')
  const wrong = [
    { ...HEADER, zip: 'DEF' },
    { ...HEADER, crit: ['exp'], exp: 1 },
    { ...HEADER, alg: 'RSA-OAEP' },
    { ...HEADER, enc: 'A128GCM' },
    { alg: 'RSA-OAEP-256' },
    [],
  ]
  for (const header of wrong) t.throws(() => openJwe(byHand(header), [key], entropy), refusal)
  t.end()
})

t.test('a flipped bit in any of the five parts gives the one error', async (t) => {
  const jwe = await theirs(Buffer.from('short'))
  const parts = splitParts(fromCompact(jwe))
  const texts = new Set<string>()
  let [tried, opened] = [0, 0]
  for (const name of Object.keys(parts) as (keyof EnvelopeParts)[]) {
    for (let bit = 0; bit < parts[name].length * 8; bit++) {
      const changed = toCompact(joinParts({ ...parts, [name]: flipped(parts[name], bit) }))
      tried++
      try {
        openJwe(changed, [key], entropy)
        opened++
      } catch (error) {
        texts.add(String(error))
      }
    }
  }
  t.equal(opened, 0)
  t.equal(tried, fromCompact(jwe).length * 8 - 5 * 32)
  t.same([...texts], [String(refusal)])
})

t.test('valid and invalid JWEs draw the same randomness', async (t) => {
  const jwe = await theirs(Buffer.from('short'))
  const parts = splitParts(fromCompact(jwe))
  const draws = (change: Partial<EnvelopeParts>, of = key): string => {
    const lengths: number[] = []
    const counted = (bytes: number): Uint8Array => {
      lengths.push(bytes)
      return entropy(bytes)
    }
    try {
      openJwe(toCompact(joinParts({ ...parts, ...change })), [of], counted)
    } catch (error) {
      t.ok(error instanceof EnvelopeError)
    }
    // The draw of a blinding factor is sometimes repeated, with the same length.
    return [...new Set(lengths)].join()
  }
  const good = draws({})
  t.equal(draws({ encryptedKey: flipped(parts.encryptedKey, 9) }), good)
  t.equal(draws({ tag: flipped(parts.tag, 9) }), good)
  t.equal(draws({ header: Buffer.from('{') }), good)
  t.equal(draws({ header: Buffer.from('{"alg":"dir"}') }), good)
})
