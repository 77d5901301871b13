// OAEP decryption has one failure (RFC 8017 section 7.1.2): an attacker who could distinguish two
// kinds of failure could decrypt.

import { createHash } from 'node:crypto'
import t from 'tap'
import { mgf1 } from '../../../protocol/rsa/hashes.js'
import { oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import type { OaepOptions } from '../../../protocol/rsa/oaep.js'
import { toInteger, toOctets, xorInto } from '../../../protocol/rsa/octets.js'
import { publicOperation } from '../../../protocol/rsa/primitives.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import { entropy, fixture, flipped } from './fixtures.js'

const { key } = fixture(2048)

const ONE_ERROR = {
  constructor: RsaError,
  properties: ['code', 'message', 'name', 'stack'],
  text: 'RsaError: decryption error',
  code: 'decryption',
  cause: undefined,
}

t.test('every invalid ciphertext gives the same error', (t) => {
  const ciphertext = oaepEncrypt(key, entropy(32), entropy(32))
  const lHash = createHash('sha256').digest()
  const size = key.bytes - 33
  const block = (start: Uint8Array, rest: Uint8Array): Buffer =>
    Buffer.concat([start, new Uint8Array(size - start.length - rest.length), rest])
  const good = block(lHash, Buffer.from('\u0001message'))
  t.same(oaepDecrypt(key, sealed(0, good), entropy), Buffer.from('message'), 'made by hand')
  const lifted = toInteger(ciphertext) + key.n
  const wrong: Record<string, Uint8Array> = {
    empty: new Uint8Array(0),
    short: ciphertext.subarray(1),
    long: Buffer.concat([Buffer.of(0), ciphertext]),
    'n itself': toOctets(key.n, key.bytes),
    'all ones': new Uint8Array(key.bytes).fill(255),
    zero: new Uint8Array(key.bytes),
    one: toOctets(1n, key.bytes),
    'n - 1': toOctets(key.n - 1n, key.bytes),
    'one bit': flipped(ciphertext, 1000),
    'the last bit': flipped(ciphertext, key.bytes * 8 - 8),
    'first byte': sealed(1, good),
    'first bit of the label hash': sealed(0, flipped(good, 0)),
    'last bit of the label hash': sealed(0, flipped(good, 32 * 8 - 1)),
    'no separator': sealed(0, block(lHash, new Uint8Array(0))),
    'another separator': sealed(0, block(lHash, Buffer.from('\u0002message'))),
    'padding of other bytes': sealed(0, block(Buffer.concat([lHash, Buffer.of(7)]), Buffer.of(1))),
    'first byte and no separator': sealed(1, block(lHash, new Uint8Array(0))),
    'nothing right': sealed(1, Buffer.alloc(size, 255)),
    ...(lifted < 1n << 2048n ? { 'c + n': toOctets(lifted, key.bytes) } : {}),
  }
  const open =
    (octets: Uint8Array, options: OaepOptions = {}) =>
    () =>
      oaepDecrypt(key, octets, entropy, options)
  const failures = [
    ...Object.entries(wrong).map(([name, octets]) => ({ name, open: open(octets) })),
    { name: 'label', open: open(ciphertext, { label: Uint8Array.of(1) }) },
    { name: 'hash', open: open(ciphertext, { hash: 'sha1' }) },
    { name: 'MGF1 hash', open: open(ciphertext, { mgf1Hash: 'sha1' }) },
  ]
  for (const { name, open } of failures) {
    t.same(anatomy(open), ONE_ERROR, name)
  }
  t.end()
})

/** All properties of an error except the line that threw it. */
function anatomy(open: () => unknown): typeof ONE_ERROR | string {
  try {
    return `opened: ${String(open())}`
  } catch (error) {
    if (!(error instanceof RsaError)) return String(error)
    return {
      constructor: error.constructor as typeof RsaError,
      properties: Object.getOwnPropertyNames(error).sort(),
      text: String(error),
      code: error.code,
      cause: error.cause as undefined,
    }
  }
}

/** The ciphertext of first byte ‖ maskedSeed ‖ maskedDB (RFC 8017 section 7.1.1 step 2). */
function sealed(first: number, block: Uint8Array): Uint8Array {
  const seed = entropy(32)
  const maskedBlock = Uint8Array.from(block)
  xorInto(maskedBlock, mgf1('sha256', seed, block.length))
  xorInto(seed, mgf1('sha256', maskedBlock, seed.length))
  const encoded = toInteger(Buffer.concat([Buffer.of(first), seed, maskedBlock]))
  return toOctets(publicOperation(key, encoded), key.bytes)
}
