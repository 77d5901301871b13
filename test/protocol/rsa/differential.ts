// Random cases against OpenSSL: both get the same input and must have the same outcome. node:crypto
// has no option for another MGF1 hash, so test/vectors/rsa-openssl.json (make-vectors.ts) covers
// those.

import { constants, privateDecrypt, publicEncrypt, sign, verify } from 'node:crypto'
import type { Entropy } from '../../../protocol/entropy.js'
import { HASH_NAMES, hashLength, type HashName } from '../../../protocol/rsa/hashes.js'
import { oaepCapacity, oaepDecrypt, oaepEncrypt } from '../../../protocol/rsa/oaep.js'
import { randomBetween, toInteger, toOctets } from '../../../protocol/rsa/octets.js'
import { privateOperation, publicOperation } from '../../../protocol/rsa/primitives.js'
import { pssMaxSaltLength, pssSign, pssVerify } from '../../../protocol/rsa/pss.js'
import { RsaError } from '../../../protocol/rsa/rsa-error.js'
import { flipped, type Fixture } from './fixtures.js'

/** Outcomes of one case, as hexadecimal or words; equal if both sides agree. */
interface Outcome {
  readonly ours: string
  readonly theirs: string
}

type Kind = (fixture: Fixture, random: Random) => Outcome

class Random {
  readonly entropy: Entropy

  constructor(entropy: Entropy) {
    this.entropy = entropy
  }

  /** A random integer in 0 ... high - 1. */
  below(high: number): number {
    return Number(randomBetween(0n, BigInt(high), this.entropy))
  }

  of<T>(items: readonly T[]): T {
    return items[this.below(items.length)]!
  }

  /** A random length in 0 ... longest; the two ends are more frequent than others. */
  length(longest: number): number {
    return this.of([0, 1, longest, this.below(longest + 1), this.below(longest + 1)])
  }
}

const KINDS: Readonly<Record<string, Kind>> = {
  'raw public': ({ key, openssl }, random) => {
    const x = toOctets(randomBetween(0n, key.n, random.entropy), key.bytes)
    const options = { key: openssl.public, padding: constants.RSA_NO_PADDING }
    return {
      ours: hex(toOctets(publicOperation(key, toInteger(x)), key.bytes)),
      theirs: hex(publicEncrypt(options, x)),
    }
  },
  'raw private': ({ key, openssl }, random) => {
    const x = toOctets(randomBetween(0n, key.n, random.entropy), key.bytes)
    const options = { key: openssl.private, padding: constants.RSA_NO_PADDING }
    return {
      ours: hex(toOctets(privateOperation(key, toInteger(x), random.entropy), key.bytes)),
      theirs: hex(privateDecrypt(options, x)),
    }
  },
  'OAEP to OpenSSL': ({ key, openssl }, random) => {
    const { hash, label, message } = oaepInput(key, random)
    const seed = random.entropy(hashLength(hash))
    const ciphertext = oaepEncrypt(key, message, seed, { hash, label })
    const options = { key: openssl.private, oaepHash: hash, oaepLabel: label }
    return { ours: hex(message), theirs: hex(privateDecrypt(options, ciphertext)) }
  },
  'OAEP from OpenSSL': ({ key, openssl }, random) => {
    const { hash, label, message } = oaepInput(key, random)
    const ciphertext = publicEncrypt(
      { key: openssl.public, oaepHash: hash, oaepLabel: label },
      message,
    )
    const opened = oaepDecrypt(key, ciphertext, random.entropy, { hash, label })
    return { ours: hex(opened), theirs: hex(message) }
  },
  'OAEP changed': ({ key, openssl }, random) => {
    const { hash, label, message } = oaepInput(key, random)
    const seed = random.entropy(hashLength(hash))
    const ciphertext = changed(oaepEncrypt(key, message, seed, { hash, label }), random)
    const options = { key: openssl.private, oaepHash: hash, oaepLabel: label }
    return {
      ours: outcome(() => oaepDecrypt(key, ciphertext, random.entropy, { hash, label })),
      theirs: outcome(() => privateDecrypt(options, ciphertext)),
    }
  },
  'PSS to OpenSSL': ({ key, openssl }, random) => {
    const { hash, saltLength, message } = pssInput(key, random)
    const signature = pssSign(key, message, random.entropy, { hash, saltLength })
    const options = { key: openssl.public, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
    return { ours: 'true', theirs: `${verify(hash, message, options, signature)}` }
  },
  'PSS from OpenSSL': ({ key, openssl }, random) => {
    const { hash, saltLength, message } = pssInput(key, random)
    const options = { key: openssl.private, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }
    const signature = sign(hash, message, options)
    return { ours: `${pssVerify(key, message, signature, { hash, saltLength })}`, theirs: 'true' }
  },
  'PSS changed': ({ key, openssl }, random) => {
    const { hash, saltLength, message } = pssInput(key, random)
    const padding = constants.RSA_PKCS1_PSS_PADDING
    const signed = sign(hash, message, { key: openssl.private, padding, saltLength })
    const signature = changed(signed, random)
    const asked = random.of([saltLength, saltLength, random.below(64)])
    const options = { key: openssl.public, padding, saltLength: asked }
    return {
      ours: `${pssVerify(key, message, signature, { hash, saltLength: asked })}`,
      theirs: `${verify(hash, message, options, signature)}`,
    }
  },
}

/** Runs a case; describes the difference, or undefined. All randomness comes from `entropy`. */
export function differs(fixtures: readonly Fixture[], entropy: Entropy): string | undefined {
  const random = new Random(entropy)
  const fixture = random.of(fixtures)
  const [name, kind] = random.of(Object.entries(KINDS))
  const what = `${name}, ${fixture.key.bits} bits`
  try {
    const { ours, theirs } = kind(fixture, random)
    return ours === theirs ? undefined : `${what}: ours ${ours}, OpenSSL's ${theirs}`
  } catch (error) {
    return `${what}: ${String(error)}`
  }
}

function oaepInput(
  key: Fixture['key'],
  random: Random,
): { hash: HashName; label: Uint8Array; message: Uint8Array } {
  const hash = random.of(HASH_NAMES)
  const label = random.entropy(random.length(100))
  return { hash, label, message: random.entropy(random.length(oaepCapacity(key, hash))) }
}

function pssInput(
  key: Fixture['key'],
  random: Random,
): { hash: HashName; saltLength: number; message: Uint8Array } {
  const hash = random.of(HASH_NAMES)
  const saltLength = random.of([hashLength(hash), random.length(pssMaxSaltLength(key, hash))])
  return { hash, saltLength, message: random.entropy(random.length(200)) }
}

/**
 * Damages a ciphertext: flips one bit, replaces all of it, or makes it longer. Not shorter, because
 * OpenSSL accepts a ciphertext without its leading zeros, against RFC 8017 section 7.1.2 step 1b.
 */
function changed(octets: Uint8Array, random: Random): Uint8Array {
  return random.of([
    () => flipped(octets, random.below(octets.length * 8)),
    () => random.entropy(octets.length),
    () => Buffer.concat([octets, Buffer.of(0)]),
    () => new Uint8Array(octets.length).fill(random.of([0, 255])),
  ])()
}

/** Rethrows exceptions other than RsaError. */
function outcome(open: () => Uint8Array): string {
  try {
    return hex(open())
  } catch (error) {
    const code = error instanceof RsaError ? error.code : 'decryption'
    return code === 'decryption' ? 'does not open' : String(error)
  }
}

function hex(octets: Uint8Array): string {
  return Buffer.from(octets).toString('hex')
}
