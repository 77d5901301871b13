// Keys in the forms that other programs write, from fixed octets: nothing but this project is needed
// here. test/clients/foreign-tools.test.ts reads what the programs themselves write.

import { createCipheriv, createPublicKey, pbkdf2Sync } from 'node:crypto'
import t from 'tap'
import {
  derBitString,
  derInteger,
  derNull,
  derOctetString,
  derSequence,
} from '../../../protocol/rsa/der.js'
import {
  decodePkcs8,
  decodeSpki,
  encodePkcs1Private,
  encodePkcs1Public,
  encodePkcs8,
  encodeSpki,
} from '../../../protocol/rsa/formats.js'
import { publicKeyOf } from '../../../protocol/rsa/keys.js'
import { foreignText, pemFromFile } from '../../../protocol/rsa/key-text.js'
import { decodeEncryptedPkcs8, encodeEncryptedPkcs8 } from '../../../protocol/rsa/pbes2.js'
import {
  privateKeyFromEncryptedPem,
  privateKeyFromPem,
  privateKeyToPem,
  publicKeyFromPem,
  publicKeyToPem,
} from '../../../protocol/rsa/pem.js'
import { concat } from '../../../protocol/rsa/octets.js'
import { oid, rsaEncryption, tagged } from './elements.js'
import { entropy, fixture } from './fixtures.js'

t.setTimeout(120_000)

const { key, pem } = fixture(2048)
const pub = publicKeyOf(key)
const fast = { rounds: 1 }
const RSA = '2a864886f70d010101'
const pkcs1 = derOctetString(encodePkcs1Private(key))

t.test('PBKDF2 names its hash with a null or without (GnuTLS)', (t) => {
  const [salt, iv] = [entropy(16), entropy(16)]
  const sealed = (...parameters: Uint8Array[]): Uint8Array => {
    const secret = pbkdf2Sync('secret', salt, 10, 32, 'sha256')
    const cipher = createCipheriv('aes-256-cbc', secret, iv)
    const ciphertext = concat(cipher.update(encodePkcs8(key)), cipher.final())
    const prf = derSequence(oid('2a864886f70d0209'), ...parameters)
    const costs = derSequence(derOctetString(salt), derInteger(10n), prf)
    const derivation = derSequence(oid('2a864886f70d01050c'), costs)
    const encryption = derSequence(oid('60864801650304012a'), derOctetString(iv))
    const scheme = derSequence(oid('2a864886f70d01050d'), derSequence(derivation, encryption))
    return derSequence(scheme, derOctetString(ciphertext))
  }
  const open = (der: Uint8Array) => decodeEncryptedPkcs8(der, 'secret', entropy, fast)
  t.same(open(sealed(derNull())), key)
  t.same(open(sealed()), key)
  t.throws(() => open(sealed(derInteger(1n))), { code: 'encoding', message: /expected: null/ })
  t.throws(() => open(sealed(derNull(), derNull())), { message: /bytes follow/ })
  t.end()
})

t.test('rsaEncryption has a null or nothing', (t) => {
  const bare = derSequence(oid(RSA))
  t.same(decodeSpki(derSequence(bare, derBitString(encodePkcs1Public(key)))), pub)
  t.same(decodePkcs8(derSequence(derInteger(0n), bare, pkcs1), entropy, fast), key)
  const wrong = derSequence(oid(RSA), derInteger(0n))
  const spki = derSequence(wrong, derBitString(encodePkcs1Public(key)))
  t.throws(() => decodeSpki(spki), { message: /expected: null/ })
  t.end()
})

t.test('PKCS#8 with attributes, or with its public key, is read', (t) => {
  const usage = derSequence(oid('551d0f'), tagged(0x31, tagged(0x03, Uint8Array.of(4, 0x10))))
  const attributes = tagged(0xa0, usage)
  const half = (bits: Uint8Array): Uint8Array => tagged(0x81, concat(Uint8Array.of(0), bits))
  const read = (...parts: Uint8Array[]) => decodePkcs8(derSequence(...parts), entropy, fast)
  const [v1, v2] = [derInteger(0n), derInteger(1n)]
  t.same(read(v1, rsaEncryption, pkcs1, attributes), key)
  t.same(read(v2, rsaEncryption, pkcs1, half(encodePkcs1Public(key))), key)
  t.same(read(v2, rsaEncryption, pkcs1, attributes, half(encodePkcs1Public(key))), key)
  const other = encodePkcs1Public(fixture(3072).key)
  const mismatch = { code: 'key', message: /public key is not that of the private key/ }
  t.throws(() => read(v2, rsaEncryption, pkcs1, half(other)), mismatch)
  const bad: readonly (readonly Uint8Array[])[] = [
    [v1, rsaEncryption, pkcs1, attributes, attributes],
    [v1, rsaEncryption, pkcs1, half(encodePkcs1Public(key))],
    [v2, rsaEncryption, pkcs1],
    [derInteger(2n), rsaEncryption, pkcs1],
    [v1, rsaEncryption, pkcs1, Uint8Array.of(0xa0, 0x05, 0)],
  ]
  for (const parts of bad) t.throws(() => read(...parts), { code: 'encoding' })
  t.end()
})

const CERTIFICATE = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n'
const ATTRIBUTES = 'Bag Attributes\n    localKeyID: 62 EE \nKey Attributes: <No Attributes>\n'

t.test('a PEM block is read among other text and blocks (RFC 7468)', (t) => {
  const texts = {
    'text before': `${ATTRIBUTES}${pem}`,
    'text after': `${pem}\n# made in Lisbon\n`,
    'a certificate': `${CERTIFICATE}${pem}${CERTIFICATE}`,
    'the public key': `${publicKeyToPem(key)}${pem}`,
    'a byte order mark': `\ufeff${pem}`,
    'the same as Latin-1': `\u00ef\u00bb\u00bf${pem}`,
    'line ends of DOS': pem.replaceAll('\n', '\r\n'),
    'line ends of old Macs': pem.replaceAll('\n', '\r'),
    'blanks at the ends of lines': pem.replaceAll('\n', ' \t\n'),
    indented: pem.replaceAll(/^/gm, '    '),
  }
  for (const [what, text] of Object.entries(texts)) {
    t.same(privateKeyFromPem(text, entropy, fast), key, what)
  }
  t.same(publicKeyFromPem(`${CERTIFICATE}${pem}${ATTRIBUTES}${publicKeyToPem(key)}`), pub)
  const encrypted = Buffer.from(encodeEncryptedPkcs8(key, 'secret', entropy, 10))
  const block = `-----BEGIN ENCRYPTED PRIVATE KEY-----\n${encrypted.toString('base64')}\n-----END ENCRYPTED PRIVATE KEY-----`
  t.same(privateKeyFromEncryptedPem(`${ATTRIBUTES}${block}`, 'secret', entropy, fast), key)
  t.end()
})

t.test('text that only looks like a block is refused', (t) => {
  const lines = pem.trimEnd().split('\n')
  const refusals: readonly [string, RegExp][] = [
    [lines.slice(0, -1).join('\n'), /no line -----END PRIVATE KEY-----/],
    [`comment ${pem}`, /there is no block/],
    [`${pem}${pem}`, /2 keys where one is expected/],
    [pem.replace(lines[1]!, `Comment: none\n${lines[1]}`), /base64 is not canonical/],
    [pem.replace('END PRIVATE', 'END PUBLIC'), /no line -----END PRIVATE KEY-----/],
    [publicKeyToPem(key), /"PUBLIC KEY" is not a private RSA key/],
    [CERTIFICATE, /it is a certificate; openssl x509 -in FILE -pubkey/],
  ]
  for (const [text, message] of refusals) {
    t.throws(() => privateKeyFromPem(text, entropy), { code: 'encoding', message })
  }
  t.end()
})

t.test('a key file is UTF-8, UTF-16 or DER', (t) => {
  const utf16 = Buffer.from(`\ufeff${pem}`, 'utf16le')
  const files = {
    'UTF-8': Buffer.from(pem),
    'a byte order mark': Buffer.from(`\ufeff${pem}`),
    'UTF-16, little-endian': utf16,
    'UTF-16, big-endian': Buffer.from(utf16).swap16(),
    'PKCS#8': encodePkcs8(key),
    'PKCS#1': encodePkcs1Private(key),
  }
  for (const [what, octets] of Object.entries(files)) {
    t.same(privateKeyFromPem(pemFromFile(octets), entropy, fast), key, what)
  }
  for (const der of [encodeSpki(key), encodePkcs1Public(key)]) {
    t.same(publicKeyFromPem(pemFromFile(der)), pub)
  }
  const encrypted = pemFromFile(encodeEncryptedPkcs8(key, 'secret', entropy, 10))
  t.same(privateKeyFromEncryptedPem(encrypted, 'secret', entropy, fast), key)
  t.equal(pemFromFile(encodePkcs8(key)), privateKeyToPem(key))
  t.end()
})

t.test('DER of other things is named', (t) => {
  const none = derSequence()
  const refusals: readonly [Uint8Array, RegExp][] = [
    [
      derSequence(none, none, derBitString(none)),
      /perhaps of a certificate; openssl x509 -inform DER/,
    ],
    [derSequence(derInteger(3n), none), /perhaps of PKCS#12; openssl pkcs12 -in FILE -nocerts/],
    [derSequence(derInteger(1n), derOctetString(none)), /key of another algorithm/],
    [derSequence(none), /perhaps of a certificate/],
    [Uint8Array.of(0x30), /truncated/],
    [concat(encodeSpki(key), Uint8Array.of(0)), /bytes follow/],
  ]
  for (const [der, message] of refusals) {
    t.throws(() => publicKeyFromPem(pemFromFile(der)), { code: 'encoding', message })
  }
  t.same(pemFromFile(new Uint8Array(0)), '')
  t.end()
})

t.test('keys of other programs are named, with what converts them', (t) => {
  const files: readonly [string, RegExp][] = [
    [
      '-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n',
      /OpenSSH; cp KEY NEW && ssh-keygen -p -m PKCS8/,
    ],
    ['ssh-rsa AAAAB3Nza alice@host', /public key of OpenSSH; ssh-keygen -e -m PKCS8 -f KEY > NEW/],
    ['---- BEGIN SSH2 PUBLIC KEY ----\nAAAA', /RFC 4716\); ssh-keygen -i -f KEY > NEW\.pub/],
    ['PuTTY-User-Key-File-3: ssh-rsa', /key of PuTTY; puttygen KEY -O private-openssh-new/],
    ['-----BEGIN PGP PRIVATE KEY BLOCK-----', /OpenPGP, whose keys cannot be used/],
    ['-----BEGIN EC PRIVATE KEY-----\nAA==\n', /another algorithm, and only RSA is known/],
    [CERTIFICATE, /openssl x509 -in FILE -pubkey -noout > NEW/],
    ['-----BEGIN CERTIFICATE REQUEST-----', /openssl req -in FILE -pubkey -noout > NEW/],
    ['{ "kty": "RSA" }', /publicKeyFromJwk and privateKeyFromJwk/],
  ]
  for (const [text, message] of files) {
    t.match(foreignText(text), message)
    t.throws(() => publicKeyFromPem(text), { code: 'encoding', message })
    t.throws(() => privateKeyFromPem(text, entropy), { code: 'encoding', message })
  }
  t.equal(foreignText('nothing known'), undefined)
  const names: readonly [string, string][] = [
    ['2a8648ce3d0201', 'EC'],
    ['2b6570', 'Ed25519'],
    ['2a864886f70d010107', 'id-RSAES-OAEP'],
    ['2a03', 'another algorithm'],
  ]
  for (const [arcs, name] of names) {
    const spki = derSequence(derSequence(oid(arcs)), derBitString(encodePkcs1Public(key)))
    t.throws(() => decodeSpki(spki), { code: 'encoding', message: `the key is one of ${name}:` })
  }
  t.end()
})

t.test('what is written is read by node:crypto', (t) => {
  const again = createPublicKey(publicKeyToPem(key)).export({ type: 'spki', format: 'der' })
  t.same(new Uint8Array(again), encodeSpki(key))
  t.end()
})
