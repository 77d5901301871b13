// Limits that a key brings from its source: PSS alone for a key of id-RSASSA-PSS (RFC 4055 section
// 1.2), or the members "use", "key_ops" and "alg" of a JWK (RFC 7517 section 4). Invariant: each
// operation asks here first, so a key is not used for what its source excludes.

import type { HashName, PssHashName } from './hashes.js'
import { RsaError } from './rsa-error.js'

/** What a key does; the first and the last with its public half. */
export type KeyUse = 'encrypt' | 'decrypt' | 'sign' | 'verify'

/** The only parameters of PSS that a key takes. */
export interface PssLimits {
  /** The hash function. */
  readonly hash: PssHashName
  /** The hash function of the mask. */
  readonly mgf1Hash: PssHashName
  /** Bytes of the shortest salt. */
  readonly minSaltLength: number
  /** Bytes of the longest salt; Infinity: as long as the key allows. */
  readonly maxSaltLength: number
}

/** The only parameters of OAEP that a key takes. */
export interface OaepLimits {
  /** The hash function. */
  readonly hash: HashName
  /** The hash function of the mask. */
  readonly mgf1Hash: HashName
}

/** What a key may be used for, as its source says. A key without limits serves every use. */
export interface KeyLimits {
  /** The uses that are left. */
  readonly uses: readonly KeyUse[]
  /** Absent: any parameters of PSS. */
  readonly pss?: PssLimits
  /** Absent: any parameters of OAEP. */
  readonly oaep?: OaepLimits
  /** The source of the limits in words, for errors. */
  readonly source: string
  /** DER of the AlgorithmIdentifier that the key came with, and is written with. */
  readonly algorithm?: Uint8Array
  /** `alg` of the JWK that the key came in, and is written with. */
  readonly alg?: string
}

interface Limited {
  readonly limits?: KeyLimits
}

/** RsaError `key` if the key must not be used like this. `hash` and the others: as asked. */
export function demandUse(
  { limits }: Limited,
  use: KeyUse,
  asked: { hash: PssHashName; mgf1Hash: PssHashName; saltLength?: number },
): void {
  if (!limits) return
  const refuse = (what: string): never => {
    throw new RsaError('key', `this key must not be used so: ${what} (${limits.source})`)
  }
  if (!limits.uses.includes(use)) {
    refuse(`it is not to ${use}, but to ${limits.uses.join(' and ') || 'do nothing known here'}`)
  }
  const { pss, oaep } = limits
  const demanded = use === 'sign' || use === 'verify' ? pss : oaep
  if (demanded && (asked.hash !== demanded.hash || asked.mgf1Hash !== demanded.mgf1Hash)) {
    const [own, other] = [demanded, asked].map(({ hash, mgf1Hash }) => `${hash}/${mgf1Hash}`)
    refuse(`its hash and mask are ${own}, and ${other} is asked`)
  }
  const { saltLength } = asked
  if (!pss || saltLength === undefined) return
  if (saltLength < pss.minSaltLength || saltLength > pss.maxSaltLength) {
    const { minSaltLength: min, maxSaltLength: max } = pss
    refuse(
      `its salt has ${min === max ? min : `at least ${min}`} bytes, and ${saltLength} are asked`,
    )
  }
}

/** The parameters of PSS that a key takes by default: its own, or those of SHA-256. */
export function pssDefaults({
  limits,
}: Limited): Partial<PssLimits> & { readonly hash: PssHashName } {
  return limits?.pss ?? { hash: 'sha256' }
}

/** The parameters of OAEP that a key takes by default: its own, or those of SHA-256. */
export function oaepDefaults({
  limits,
}: Limited): Partial<OaepLimits> & { readonly hash: HashName } {
  return limits?.oaep ?? { hash: 'sha256' }
}
