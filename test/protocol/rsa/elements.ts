// Elements of DER that tests make and the project does not: object identifiers by their encoded
// arcs, and elements of any tag.

import {
  derNull,
  derObjectIdentifier,
  derOctetString,
  derSequence,
} from '../../../protocol/rsa/der.js'

export function oid(hex: string): Uint8Array {
  return derObjectIdentifier(Buffer.from(hex, 'hex'))
}

export function tagged(tag: number, content: Uint8Array): Uint8Array {
  const element = derOctetString(content)
  element[0] = tag
  return element
}

/** Encoded arcs. */
export const RSASSA_PSS = oid('2a864886f70d01010a')
export const SHA384 = oid('608648016503040202')
export const MGF1 = oid('2a864886f70d010108')
/** AlgorithmIdentifier of rsaEncryption. */
export const rsaEncryption = derSequence(oid('2a864886f70d010101'), derNull())
