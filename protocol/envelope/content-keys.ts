// Deterministic sealing: all replicas come to the same bytes, because content key, OAEP seed and
// nonce are functions of the order. The content key of a (sender, recipient, kid) serves one key
// epoch, which is one (term, keySeed). Invariant: within a key epoch no (k, command) seals twice
// for the same pair, because GCM is broken by a repeated nonce; a new term or attempt has a fresh
// keySeed.

import { createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { invariant } from '../assert.js'
import { sameBytes } from '../bytes.js'
import { decodeSpki } from '../rsa/formats.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPublicKey } from '../rsa/keys.js'
import { oaepCapacity, oaepEncrypt } from '../rsa/oaep.js'
import { concat } from '../rsa/octets.js'
import { encryptText } from './encrypt.js'
import { finishHeader, headerStart, isCount } from './header.js'
import type { MessagePlace, Suite } from './header.js'
import { labelOf } from './open.js'
import { field, joinParts, toBase64url } from './parts.js'
import type { Sealed } from './seal.js'
import { encodeShared, nonceOf } from './stored.js'
import { RecentlyUsed } from '../recently-used.js'

/** A public key with its `kid`. */
export interface RecipientKey {
  readonly key: RsaPublicKey
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly bits: number
}

/** The secret that content keys derive from; a coordinator replaces it after a bounded time. */
export interface KeyEpoch {
  readonly term: number
  /** 32 random bytes, never logged or stored. */
  readonly keySeed: Uint8Array
}

export interface Letter extends KeyEpoch, MessagePlace {
  readonly recipientKey: RecipientKey
  /** Number of the order within the term. */
  readonly k: number
  /** Number of the command within the order, a uint32. */
  readonly command: number
  readonly text: string
}

/** The parts that all messages of a pair in a key epoch share. */
interface PairKey {
  readonly contentKey: KeyObject
  /** base64url of the first octets of the header, in whole groups of three. */
  readonly aadStart: string
  /** The rest of the header's start, at most two octets. */
  readonly headerRest: string
  /** With the wrapped content key: stored.ts. */
  readonly shared: Uint8Array
}

const NONE = new Uint8Array(0)

/** Pairs remembered of a key epoch, of about a kilobyte each. */
const DEFAULT_LIMIT = 8192

/**
 * Reads a recipient's key from SubjectPublicKeyInfo DER; RsaError `encoding` or `key`. The costly
 * checks are left out: the key passed them before the account was stored.
 */
export function recipientKeyOf(spki: Uint8Array): RecipientKey {
  const key = decodeSpki(spki, { rounds: 0 })
  return { key, kid: thumbprint(key), bits: key.bits }
}

/** The content key and the OAEP seed of a pair, 32 bytes each (HKDF, RFC 5869, SHA-256). */
export function deriveContentKey(
  epoch: KeyEpoch,
  sender: string,
  recipient: string,
  kid: string,
): { contentKey: Uint8Array; oaepSeed: Uint8Array } {
  const pair = concat(uint64(epoch.term), ...[sender, recipient, kid].map(field))
  const derive = (label: string): Uint8Array =>
    new Uint8Array(hkdfSync('sha256', epoch.keySeed, '', concat(field(label), pair), 32))
  return { contentKey: derive('troca cek'), oaepSeed: derive('troca oaep') }
}

/** Seals messages. Recent pairs are remembered, so that a pair costs one RSA operation an epoch. */
export class ContentKeys {
  readonly #pairs: RecentlyUsed<string, PairKey>
  readonly #suite: Suite
  /** The epoch of the pairs. */
  #epoch: KeyEpoch = { term: 0, keySeed: NONE }

  /** With `suite` rsa, texts that fit are encrypted by RSA alone; longer ones are still JWEs. */
  constructor(limit: number = DEFAULT_LIMIT, suite: Suite = 'jwe') {
    this.#pairs = new RecentlyUsed(limit)
    this.#suite = suite
  }

  /** Seals a message. `text` is well-formed Unicode; `stream` is 16 bytes. */
  seal(letter: Letter): Sealed {
    const { k, command, stream, seq, time, text, recipientKey } = letter
    invariant(stream.length === 16, 'a stream is 16 bytes')
    invariant(isCount(seq) && isCount(time), 'seq and time are counts')
    if (this.#suite === 'rsa' && Buffer.byteLength(text) <= oaepCapacity(recipientKey.key)) {
      return { shared: NONE, own: sealByRsa(letter) }
    }
    const pair = this.#pairOf(letter)
    const rest = Buffer.from(finishHeader(pair.headerRest, stream, seq, time), 'latin1')
    const aad = pair.aadStart + toBase64url(rest)
    const { ciphertext, tag } = encryptText(pair.contentKey, aad, nonceOf(k, command), text)
    return { shared: pair.shared, own: Buffer.concat([ciphertext, tag]) }
  }

  #pairOf(letter: Letter): PairKey {
    const { term, keySeed, sender, recipient, recipientKey } = letter
    if (term !== this.#epoch.term || !sameBytes(keySeed, this.#epoch.keySeed)) {
      this.#pairs.clear()
      this.#epoch = { term, keySeed: new Uint8Array(keySeed) }
    }
    // The name is unambiguous: a kid has a fixed length, and the sender's length is given.
    const name = `${recipientKey.kid}${sender.length} ${sender}${recipient}`
    return this.#pairs.getOrMake(name, () => makePairKey(letter))
  }
}

/** The textbook path: encrypts the text with RSA-OAEP, with a seed of the message's own. */
function sealByRsa(letter: Letter): Uint8Array {
  const { keySeed, term, k, command, recipientKey, sender, recipient } = letter
  invariant(keySeed.length === 32, 'a key seed is 32 bytes')
  const { kid, key } = recipientKey
  const start = headerStart(kid, sender, recipient, 'rsa')
  const header = Buffer.from(finishHeader(start, letter.stream, letter.seq, letter.time))
  const names = [sender, recipient, kid].map(field)
  const place = concat(field('troca rsa'), uint64(term), nonceOf(k, command), ...names)
  const oaepSeed = new Uint8Array(hkdfSync('sha256', keySeed, '', place, 32))
  const label = labelOf(header)
  const encryptedKey = oaepEncrypt(key, Buffer.from(letter.text), oaepSeed, { label })
  return joinParts({ header, encryptedKey, nonce: NONE, ciphertext: NONE, tag: NONE })
}

function makePairKey({ term, keySeed, sender, recipient, recipientKey }: Letter): PairKey {
  invariant(keySeed.length === 32, 'a key seed is 32 bytes')
  const { key, kid } = recipientKey
  const { contentKey, oaepSeed } = deriveContentKey({ term, keySeed }, sender, recipient, kid)
  const start = headerStart(kid, sender, recipient)
  const octets = Buffer.from(start)
  const cut = octets.length - (octets.length % 3)
  return {
    contentKey: createSecretKey(contentKey),
    aadStart: toBase64url(octets.subarray(0, cut)),
    // ASCII, as the start ends with ASCII.
    headerRest: octets.toString('latin1', cut),
    shared: encodeShared(start, oaepEncrypt(key, contentKey, oaepSeed)),
  }
}

function uint64(x: number): Uint8Array {
  const octets = new Uint8Array(8)
  new DataView(octets.buffer).setBigUint64(0, BigInt(x))
  return octets
}
