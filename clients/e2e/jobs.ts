// The slow work with private keys: making, signing, opening. A thread of its own (worker.ts) does
// this work, so that the event loop stays free for connections.

import { createHash, randomBytes } from 'node:crypto'
import { unreachable } from '../../protocol/assert.js'
import { EnvelopeError } from '../../protocol/envelope/envelope-error.js'
import { publish } from '../../protocol/envelope/held-keys.js'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { openerOf } from '../../protocol/envelope/open.js'
import type { Opener } from '../../protocol/envelope/open.js'
import type { MessagePlace } from '../../protocol/envelope/header.js'
import { RecentlyUsed } from '../../protocol/recently-used.js'
import { openSigned, sealSigned } from '../../protocol/envelope/signed.js'
import type { FoundPlace, OpenedMessage } from '../../protocol/envelope/signed.js'
import { decodePkcs8, encodePkcs8 } from '../../protocol/rsa/formats.js'
import { generateKey } from '../../protocol/rsa/keys.js'
import type { RsaPrivateKey, RsaPublicKey } from '../../protocol/rsa/keys.js'
import type { PrivatePair } from './key-file.js'

/** A unit of work. Private keys in it are PKCS#8, DER. */
export type Job =
  | { readonly kind: 'make'; readonly bits: number }
  | {
      readonly kind: 'publish'
      readonly user: string
      readonly number: number
      readonly pair: PrivatePair
      /** The previous signing key; null: this is the first. */
      readonly previous: Uint8Array | null
    }
  | {
      readonly kind: 'seal'
      readonly place: MessagePlace
      readonly text: string
      readonly recipientKey: RsaPublicKey
      readonly signingKey: Uint8Array
    }
  | {
      readonly kind: 'open'
      readonly sealingKeys: readonly Uint8Array[]
      readonly found: readonly Found[]
    }

/** A stored body, its place, and the keys that its sender may have signed with. */
interface Found {
  readonly body: Uint8Array
  readonly place: FoundPlace
  readonly signers: readonly RsaPublicKey[]
}

export interface Results {
  readonly make: PrivatePair
  readonly publish: HeldKey
  readonly seal: Uint8Array
  /** In the order of `found`; null: the body does not open, or is not signed for its place. */
  readonly open: readonly (OpenedMessage | null)[]
}

export type JobOf<K extends Job['kind']> = Extract<Job, { kind: K }>

/** Size of the cache of parsed keys; an account has at most 16 pairs. */
const KEPT_KEYS = 32
const parsed = new RecentlyUsed<string, RsaPrivateKey>(KEPT_KEYS)
const entropy = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes))

export function carryOut(job: Job, onProgress: (text: string) => void): Results[Job['kind']] {
  switch (job.kind) {
    case 'make':
      return makePair(job.bits, onProgress)
    case 'publish': {
      const { user, number, pair, previous } = job
      const keys = { sealing: keyOf(pair.sealing), signing: keyOf(pair.signing) }
      return publish(user, number, keys, previous && keyOf(previous), entropy)
    }
    case 'seal': {
      const { place, text, recipientKey, signingKey } = job
      return sealSigned({ ...place, text, recipientKey, signingKey: keyOf(signingKey) }, entropy)
    }
    case 'open': {
      const openers = job.sealingKeys.map((key) => openerOf(keyOf(key), entropy))
      return job.found.map((one) => openOne(one, openers))
    }
    default:
      return unreachable(job)
  }
}

function makePair(bits: number, onProgress: (text: string) => void): PrivatePair {
  const make = (which: string): Uint8Array =>
    encodePkcs8(
      generateKey(bits, entropy, (candidates) =>
        onProgress(`searching primes of ${which}: ${candidates} candidates`),
      ),
    )
  return { sealing: make('the encryption key'), signing: make('the signing key') }
}

/** Parses a key. Its primes were tested when it was made, and its encryption is authenticated. */
function keyOf(pkcs8: Uint8Array): RsaPrivateKey {
  const name = createHash('sha256').update(pkcs8).digest('base64url')
  return parsed.getOrMake(name, () => decodePkcs8(pkcs8, entropy, { rounds: 0 }))
}

function openOne(
  { body, place, signers }: Found,
  openers: readonly Opener[],
): OpenedMessage | null {
  try {
    return openSigned(body, place, openers, signers)
  } catch (error) {
    if (error instanceof EnvelopeError) return null
    throw error
  }
}
