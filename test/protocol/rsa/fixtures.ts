// Keys, entropy and published vectors for the tests of RSA and of envelopes. OpenSSL made the keys,
// except those of 2049 and 2055 bits, sizes that OpenSSL rounds down.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  randomBytes,
  type KeyObject,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { Entropy } from '../../../protocol/entropy.js'
import type { RsaPrivateKey } from '../../../protocol/rsa/keys.js'
import { privateKeyFromPem } from '../../../protocol/rsa/pem.js'

export const FIXTURE_BITS = [2048, 2049, 2055, 2688, 3072, 3104, 8192] as const

export interface Fixture {
  readonly pem: string
  readonly key: RsaPrivateKey
  /** The same key as an OpenSSL key object. */
  readonly openssl: { readonly private: KeyObject; readonly public: KeyObject }
}

export const entropy: Entropy = (bytes) => new Uint8Array(randomBytes(bytes))

/** Deterministic entropy: the same seed gives the same octets in every version. */
export function seededEntropy(seed: string): Entropy {
  let counter = 0
  return (bytes) => {
    const blocks: Buffer[] = []
    for (let length = 0; length < bytes; length += 32) {
      blocks.push(createHash('sha256').update(`${seed} ${counter++}`).digest())
    }
    return new Uint8Array(Buffer.concat(blocks).subarray(0, bytes))
  }
}

export function fixture(bits: (typeof FIXTURE_BITS)[number]): Fixture {
  return fixtureOf(readFileSync(`${process.cwd()}/test/vectors/rsa-${bits}.pem`, 'utf8'))
}

export function fixtureOf(pem: string): Fixture {
  const openssl = { private: createPrivateKey(pem), public: createPublicKey(pem) }
  return { pem, key: privateKeyFromPem(pem, entropy, { rounds: 1 }), openssl }
}

export function vectors(name: string): unknown {
  return JSON.parse(readFileSync(`${process.cwd()}/test/vectors/${name}`, 'utf8'))
}

export function fromHex(hex: string): Uint8Array {
  return new Uint8Array(Buffer.from(hex, 'hex'))
}

/**
 * a^-1 mod m by the extended Euclidean algorithm, independent of the library that protocol/rsa
 * uses.
 */
export function inverse(a: bigint, m: bigint): bigint {
  let [r0, r1, s0, s1] = [m, a % m, 0n, 1n]
  while (r1 !== 0n) {
    const quotient = r0 / r1
    ;[r0, r1] = [r1, r0 - quotient * r1]
    ;[s0, s1] = [s1, s0 - quotient * s1]
  }
  return ((s0 % m) + m) % m
}

/** A copy of `octets` with one bit flipped. */
export function flipped(octets: Uint8Array, bit: number): Uint8Array {
  const copy = Uint8Array.from(octets)
  const at = bit >> 3
  copy[at] = (copy[at] ?? 0) ^ (1 << (bit & 7))
  return copy
}

/** A modulus of 2048 bits by CVE-2017-15361: test vector mod03 of its authors' detector. */
export const ROCA_MODULUS = BigInt(
  '0x9dcd7420e420c270a68060eb8b5aa7457a9f6648f86fafed2775cc1f79ae962f1e63f1b9e51c55f9ea6fdc7332e9b005' +
    '8c9ff2eb1fc89855029cf6aafe21e689feb38ac9ffb12f1ce371bb5d0e9aae64161abce74b4244bf68f1edb4411f756a' +
    '097c8929c14740245ea355f8332d1aa36bb50c7dcb4505da8de02e4e53d38f8df06097da7524df0df93db48eac8cc4af' +
    '2d3a16257eb2b2adca6ba464e5974fa92550d31b1babf161e7692d00b86e3dd886ecab4abfbe1a8f8cc263ff4af55cdb' +
    '45f4249a5193925f5e983d762f0b6800943eb0267b08f42ed311ce1f5c86eacbc8ce4d3cb7a2fee1ef5641423a1cf411' +
    '4e5ecf50034a60a412523af9e6f4aa11',
)
