// AlgorithmIdentifiers of keys. A key of rsaEncryption serves every use; a key of id-RSASSA-PSS is
// for PSS alone, with its parameters if it has some (RFC 4055 sections 1.2 and 3.1); a key of
// id-RSASSA-PSS-SHAKE128 or SHAKE256 is for PSS with that SHAKE (RFC 8702 section 3).

import { DerReader, derNull, derObjectIdentifier, derSequence } from './der.js'
import { hashLength, type HashName } from './hashes.js'
import type { KeyLimits, PssLimits } from './key-limits.js'
import { RsaError } from './rsa-error.js'

// Encoded arcs in hexadecimal.
const RSA_ENCRYPTION = '2a864886f70d010101'
const RSASSA_PSS = '2a864886f70d01010a'
const MGF1 = '2a864886f70d010108'

const HASHES: ReadonlyMap<string, HashName> = new Map([
  ['2b0e03021a', 'sha1'],
  ['608648016503040204', 'sha224'],
  ['608648016503040201', 'sha256'],
  ['608648016503040202', 'sha384'],
  ['608648016503040203', 'sha512'],
  ['608648016503040205', 'sha512-224'],
  ['608648016503040206', 'sha512-256'],
])

const SHAKES: ReadonlyMap<string, 'shake128' | 'shake256'> = new Map([
  ['2b0601050507061e', 'shake128'],
  ['2b0601050507061f', 'shake256'],
])

/** Algorithms whose keys other programs write, for errors. */
const OTHERS: ReadonlyMap<string, string> = new Map([
  ['2a8648ce3d0201', 'EC'],
  ['2a8648ce380401', 'DSA'],
  ['2b656e', 'X25519'],
  ['2b656f', 'X448'],
  ['2b6570', 'Ed25519'],
  ['2b6571', 'Ed448'],
  ['2a864886f70d010301', 'Diffie-Hellman'],
  ['2a864886f70d010107', 'id-RSAES-OAEP'],
])

/** RFC 4055 section 3.1: SHA-1 and 20 bytes are what an absent element says. */
const DEFAULT_SALT = 20n
const TRAILER_FIELD = 1n
const MAX_SALT = 1024n

/** rsaEncryption, or the AlgorithmIdentifier that the key came with. */
export function algorithmOf({ limits }: { readonly limits?: KeyLimits }): Uint8Array {
  const rsa = derSequence(derObjectIdentifier(Buffer.from(RSA_ENCRYPTION, 'hex')), derNull())
  return limits?.algorithm ?? rsa
}

/**
 * Reads the AlgorithmIdentifier of a key; gives its limits, or null if it has none. RsaError
 * `encoding` if it is not RSA.
 */
export function readAlgorithm(identifier: DerReader): KeyLimits | null {
  const arcs = arcsOf(identifier)
  if (arcs === RSA_ENCRYPTION) {
    identifier.nullOrNothing()
    return null
  }
  const shake = SHAKES.get(arcs)
  if (arcs !== RSASSA_PSS && !shake) {
    const name = OTHERS.get(arcs) ?? 'another algorithm'
    throw new RsaError(
      'encoding',
      `the key is one of ${name}: the algorithm is not rsaEncryption (1.2.840.113549.1.1.1)`,
    )
  }
  const algorithm = derSequence(identifier.octets)
  const pss = shake ? shakeLimits(shake) : readPssParameters(identifier)
  identifier.end()
  const source = `it is a key of id-RSASSA-PSS${shake ? `-${shake.toUpperCase()}` : ''}`
  return { uses: ['sign', 'verify'], ...(pss && { pss }), source, algorithm }
}

function shakeLimits(hash: 'shake128' | 'shake256'): PssLimits {
  const saltLength = hashLength(hash)
  return { hash, mgf1Hash: hash, minSaltLength: saltLength, maxSaltLength: saltLength }
}

/** RSASSA-PSS-params, or null if the key has none: then any parameters of PSS will do. */
function readPssParameters(identifier: DerReader): PssLimits | null {
  if (identifier.isAtEnd) return null
  const parameters = identifier.sequence()
  const hash = readTagged(parameters.optional('context0'), readHash) ?? 'sha1'
  const mgf1Hash = readTagged(parameters.optional('context1'), readMgf1) ?? 'sha1'
  const integer = (one: DerReader): bigint => one.integer()
  const salt = readTagged(parameters.optional('context2'), integer) ?? DEFAULT_SALT
  const trailer = readTagged(parameters.optional('context3'), integer) ?? TRAILER_FIELD
  parameters.end()
  if (trailer !== TRAILER_FIELD) throw unknown('a trailer field other than 1')
  if (salt > MAX_SALT) throw unknown('a salt that no key of these sizes holds')
  // RFC 4055 section 3.3: the key's salt length is the least that a signature may have.
  return { hash, mgf1Hash, minSaltLength: Number(salt), maxSaltLength: Infinity }
}

function readTagged<T>(element: DerReader | undefined, read: (one: DerReader) => T): T | undefined {
  if (!element) return undefined
  const value = read(element)
  element.end()
  return value
}

function readHash(parent: DerReader): HashName {
  const identifier = parent.sequence()
  const hash = HASHES.get(arcsOf(identifier))
  if (!hash) throw unknown('a hash other than SHA-1 and SHA-2')
  identifier.nullOrNothing()
  return hash
}

function readMgf1(parent: DerReader): HashName {
  const identifier = parent.sequence()
  if (arcsOf(identifier) !== MGF1) throw unknown('a mask other than MGF1')
  const hash = readHash(identifier)
  identifier.end()
  return hash
}

export function arcsOf(identifier: DerReader): string {
  return Buffer.from(identifier.objectIdentifier()).toString('hex')
}

function unknown(what: string): RsaError {
  return new RsaError('encoding', `its parameters of id-RSASSA-PSS name ${what}`)
}
