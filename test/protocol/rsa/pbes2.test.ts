// Keys under a passphrase: written and read against OpenSSL in all its forms, and refusals.

import { createPrivateKey } from 'node:crypto'
import { spawnSync } from 'node:child_process'
import t from 'tap'
import {
  derInteger,
  derNull,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from '../../../protocol/rsa/der.js'
import { decodeEncryptedPkcs8, encodeEncryptedPkcs8 } from '../../../protocol/rsa/pbes2.js'
import {
  isEncryptedPem,
  pemBlocks,
  privateKeyFromEncryptedPem,
  privateKeyFromPem,
  privateKeyToEncryptedPem,
  privateKeyToPem,
} from '../../../protocol/rsa/pem.js'
import { entropy, fixture, flipped } from './fixtures.js'

t.setTimeout(120_000)

const { key, pem: plain } = fixture(2048)
const passphrase = 'pão de ló \u{1f600}'
const few = 1000
const fast = { rounds: 1 }
const pem = privateKeyToEncryptedPem(key, passphrase, entropy, few)

const absent = spawnSync('openssl', ['version']).status !== 0
const skip = absent ? 'there is no openssl program here' : false

function openssl(args: readonly string[], input: string): string {
  const env = { PATH: process.env['PATH'], PASSPHRASE: passphrase }
  const { status, stdout, stderr } = spawnSync('openssl', args, { input, env, encoding: 'utf8' })
  if (status !== 0) throw new Error(stderr)
  return stdout
}

t.test('an encrypted key is read again, here and by node:crypto', (t) => {
  t.ok(isEncryptedPem(pem))
  t.notOk(isEncryptedPem(plain))
  t.same(privateKeyFromEncryptedPem(pem, passphrase, entropy, fast), key)
  const theirs = createPrivateKey({ key: pem, passphrase })
  t.equal(theirs.export({ type: 'pkcs8', format: 'pem' }), privateKeyToPem(key))
  const again = privateKeyToEncryptedPem(key, passphrase, entropy, few)
  t.not(again, pem, 'salt and vector are fresh')
  t.throws(() => privateKeyFromPem(pem, entropy), { message: /under a passphrase/ })
  const other = { code: 'encoding', message: /"PRIVATE KEY" is not a private key under a pass/ }
  t.throws(() => privateKeyFromEncryptedPem(plain, passphrase, entropy), other)
  t.end()
})

t.test('openssl pkey reads an encrypted key', { skip }, (t) => {
  const whole = privateKeyToEncryptedPem(key, passphrase, entropy)
  const read = openssl(['pkey', '-passin', 'env:PASSPHRASE'], whole)
  t.equal(read, privateKeyToPem(key))
  t.match(openssl(['asn1parse'], whole), /PBES2[^]*PBKDF2[^]*INTEGER +:0927C0[^]*hmacWithSHA256/)
  t.end()
})

t.test('all PBES2 forms of openssl are read', { skip }, (t) => {
  const forms = [
    ['pkey', '-aes128'],
    ['pkey', '-aes192'],
    ['pkey', '-aes256'],
    ['pkcs8', '-topk8'],
    ['pkcs8', '-topk8', '-scrypt'],
    ['pkcs8', '-topk8', '-scrypt', '-scrypt_N', '1024', '-scrypt_r', '4', '-scrypt_p', '2'],
    ...['1', '224', '256', '384', '512', '512-224', '512-256'].map((sha) => [
      ...['pkcs8', '-topk8', '-v2', 'aes-256-cbc', '-v2prf', `hmacWithSHA${sha}`],
      ...['-iter', '5000'],
    ]),
  ]
  for (const form of forms) {
    const written = openssl([...form, '-passout', 'env:PASSPHRASE'], plain)
    t.same(privateKeyFromEncryptedPem(written, passphrase, entropy, fast), key, form.join(' '))
    const wrong = { code: 'decryption', message: /^it does not open/ }
    t.throws(() => privateKeyFromEncryptedPem(written, 'pao de lo', entropy, fast), wrong)
  }
  t.end()
})

t.test('unsupported forms are refused by name', { skip }, (t) => {
  const args = ['-passout', 'env:PASSPHRASE']
  const des = openssl(['pkcs8', '-topk8', '-v2', 'des3', ...args], plain)
  const old = openssl(['rsa', '-traditional', '-aes256', ...args], plain)
  const curve = openssl(['genpkey', '-algorithm', 'EC', '-pkeyopt', 'group:P-256'], '')
  const ec = openssl(['pkey', '-aes256', ...args], curve)
  const open = (text: string) => () => privateKeyFromEncryptedPem(text, passphrase, entropy)
  t.throws(open(des), { code: 'encoding', message: /the cipher is not AES-CBC/ })
  t.throws(open(old), { code: 'encoding', message: /of an old form; openssl pkey -in KEY -aes256/ })
  t.throws(open(ec), { code: 'decryption' })
  t.end()
})

t.test('every wrong passphrase gives the one error, even if the padding is valid', (t) => {
  const cheap = encodeEncryptedPkcs8(key, passphrase, entropy, 1)
  const texts = new Set<string>()
  for (let i = 0; i < 2000; i++) {
    try {
      decodeEncryptedPkcs8(cheap, `wrong ${i}`, entropy, fast)
      t.fail('it opened')
    } catch (error) {
      texts.add(String(error))
    }
  }
  t.equal(texts.size, 1)
  t.end()
})

t.test('a key that opens but must not be used is refused with its reason', (t) => {
  const bad = encodeEncryptedPkcs8({ ...key, dP: key.dP + 2n }, passphrase, entropy, few)
  const refusal = { code: 'key', message: /dP is not d modulo p - 1/ }
  t.throws(() => decodeEncryptedPkcs8(bad, passphrase, entropy), refusal)
  t.end()
})

t.test('a flipped bit in the ciphertext, its vector or its salt does not open', (t) => {
  const cheap = encodeEncryptedPkcs8(key, passphrase, entropy, 1)
  let opened = 0
  for (let bit = 0; bit < cheap.length * 8; bit += 5) {
    try {
      decodeEncryptedPkcs8(flipped(cheap, bit), passphrase, entropy, fast)
      opened++
    } catch (error) {
      if (!/^(encoding|decryption|key)$/.test((error as { code?: string }).code ?? '')) {
        t.fail(`bit ${bit}: ${error}`)
      }
    }
  }
  t.equal(opened, 0)
  t.end()
})

// ---- structures that are not what OpenSSL writes -----------------------------------------------

const arcs = (hex: string): Uint8Array => derObjectIdentifier(Buffer.from(hex, 'hex'))
const pbkdf2 = (...costs: readonly Uint8Array[]): Uint8Array =>
  derSequence(arcs('2a864886f70d01050c'), derSequence(...costs))
const scrypt = (...costs: readonly bigint[]): Uint8Array => {
  const [salt, ...numbers] = [derOctetString(entropy(8)), ...costs.map(derInteger)]
  return derSequence(arcs('2b06010401da47040b'), derSequence(salt!, ...numbers))
}
const prf = derSequence(arcs('2a864886f70d0209'), derNull())
const aes = derSequence(arcs('60864801650304012a'), derOctetString(entropy(16)))

function info(derivation: Uint8Array, encryption = aes, ciphertext = entropy(32)): Uint8Array {
  const scheme = derSequence(arcs('2a864886f70d01050d'), derSequence(derivation, encryption))
  return derSequence(scheme, derOctetString(ciphertext))
}

t.test('costs are bounded before anything is computed', (t) => {
  const salt = derOctetString(entropy(8))
  const good = pbkdf2(salt, derInteger(1n), prf)
  const cases: readonly [Uint8Array, RegExp][] = [
    [info(pbkdf2(salt, derInteger(10_000_001n), prf)), /iterations is out of bounds/],
    [info(pbkdf2(salt, derInteger(2n ** 64n), prf)), /iterations is out of bounds/],
    [info(pbkdf2(salt, derInteger(0n), prf)), /iterations is out of bounds/],
    [info(pbkdf2(derOctetString(entropy(1025)), derInteger(1n), prf)), /the salt has 1025 bytes/],
    [info(pbkdf2(salt, derInteger(1n), derInteger(16n), prf)), /key length is not that/],
    [info(pbkdf2(salt, derInteger(1n), prf, prf)), /bytes follow/],
    [info(pbkdf2(salt, derInteger(1n), derSequence(arcs('2a'), derNull()))), /hash of PBKDF2/],
    [info(scrypt(2n ** 22n, 8n, 1n)), /N of scrypt is out of bounds/],
    [info(scrypt(2n ** 21n, 8n, 1n)), /memory of scrypt is out of bounds/],
    [info(scrypt(2n ** 14n, 8n, 65n)), /work of scrypt is out of bounds/],
    [info(scrypt(2n ** 14n, 2n ** 40n, 1n)), /r of scrypt is out of bounds/],
    [info(scrypt(2n ** 14n, 0n, 1n)), /r of scrypt is out of bounds/],
    [info(scrypt(1000n, 8n, 1n)), /not a power of two/],
    [info(scrypt(1n, 8n, 1n)), /not a power of two/],
    [info(good, aes, entropy(31)), /not of AES-CBC/],
    [info(good, aes, entropy(0)), /not of AES-CBC/],
    [info(good, derSequence(arcs('60864801650304012a'), salt)), /not of AES-CBC/],
    [info(derSequence(arcs('2a'), derSequence())), /not of PBKDF2 or scrypt/],
    [derSequence(derSequence(arcs('2a')), derOctetString(entropy(32))), /not PBES2/],
  ]
  for (const [der, message] of cases) {
    t.throws(() => decodeEncryptedPkcs8(der, passphrase, entropy), { code: 'encoding', message })
  }
  t.throws(() => decodeEncryptedPkcs8(info(good), passphrase, entropy), { code: 'decryption' })
  t.end()
})

t.test('a file of several blocks is split', (t) => {
  const other = privateKeyToPem(fixture(3072).key)
  const file = `${pem}\n${other}`
  t.same(
    pemBlocks(file).map((block) => block.trim()),
    [pem.trim(), other.trim()],
  )
  t.same(pemBlocks(pem), [pem])
  const between = '\ufeffBag Attributes\r\n    localKeyID: 01 \r\n'
  const crowded = `${between}${pem}comment\n${other}-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----`
  t.same(pemBlocks(crowded), [pem, other], 'other text and other blocks are left out')
  t.same(pemBlocks('no key'), ['no key'])
  t.end()
})
