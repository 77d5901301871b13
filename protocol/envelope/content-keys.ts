// Sealing, as every replica does it to the same bytes: content key, OAEP seed and nonce are all
// functions of the order. The content key of a (sender, recipient, kid) serves one key epoch, that
// is one (term, keySeed). Invariant: within a key epoch no (k, command) seals twice for the same
// pair, because GCM forgives no nonce used twice; a new term or attempt has a fresh keySeed.

import { createSecretKey, hkdfSync } from 'node:crypto'
import type { KeyObject } from 'node:crypto'
import { invariant } from '../assert.js'
import { decodeSpki } from '../rsa/formats.js'
import { thumbprint } from '../rsa/jwk.js'
import type { RsaPublicKey } from '../rsa/keys.js'
import { oaepCapacity, oaepEncrypt } from '../rsa/oaep.js'
import { concat } from '../rsa/octets.js'
import { encryptText } from './encrypt.js'
import { finishHeader, headerStart, isCount } from './header.js'
import type { MessagePlace, Suite } from './header.js'
import { labelOf } from './open.js'
import { NONCE_LENGTH, field, joinParts } from './parts.js'
import { RecentlyUsed } from '../recently-used.js'

/** A public key with its name. */
export interface RecipientKey {
  readonly key: RsaPublicKey
  /** RFC 7638 thumbprint. */
  readonly kid: string
  readonly bits: number
}

/** A secret that coordinators keep for a bounded time. */
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

/** What every message of a pair in a key epoch has in common. */
interface PairKey {
  readonly contentKey: KeyObject
  readonly encryptedKey: Uint8Array
  readonly headerStart: string
}

const NONE = new Uint8Array(0)

/** Entries of about a kilobyte. */
const DEFAULT_LIMIT = 8192

/** From SubjectPublicKeyInfo DER; RsaError `encoding` or `key`. */
export function recipientKeyOf(spki: Uint8Array): RecipientKey {
  const key = decodeSpki(spki)
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

/** Seals messages; remembers the pairs of late so that RSA is paid once for a pair and epoch. */
export class ContentKeys {
  readonly #pairs: RecentlyUsed<string, PairKey>
  readonly #suite: Suite

  /** `suite` rsa: for texts that fit; longer ones are JWEs all the same. */
  constructor(limit: number = DEFAULT_LIMIT, suite: Suite = 'jwe') {
    this.#pairs = new RecentlyUsed(limit)
    this.#suite = suite
  }

  /** The stored body of a message. `text` is well-formed Unicode; `stream` is 16 bytes. */
  seal(letter: Letter): Uint8Array {
    const { k, command, stream, seq, time, text, recipientKey } = letter
    invariant(stream.length === 16, 'a stream is 16 bytes')
    invariant(isCount(seq) && isCount(time), 'seq and time are counts')
    if (this.#suite === 'rsa' && Buffer.byteLength(text) <= oaepCapacity(recipientKey.key)) {
      return sealByRsa(letter)
    }
    const pair = this.#pairOf(letter)
    const header = Buffer.from(finishHeader(pair.headerStart, stream, seq, time))
    const nonce = nonceOf(k, command)
    const { ciphertext, tag } = encryptText(pair.contentKey, header, nonce, text)
    const { encryptedKey } = pair
    return joinParts({ header, encryptedKey, nonce, ciphertext, tag })
  }

  /** Forgets all content keys, as at the end of a term. */
  clear(): void {
    this.#pairs.clear()
  }

  #pairOf(letter: Letter): PairKey {
    const { term, keySeed, sender, recipient, recipientKey } = letter
    const { buffer, byteOffset, length } = keySeed
    const seed = Buffer.from(buffer, byteOffset, length).toString('latin1')
    // Unambiguous: seed and kid have fixed lengths, and the lengths tell the names apart.
    const name = `${term} ${seed}${recipientKey.kid}${sender.length} ${sender}${recipient}`
    return this.#pairs.getOrMake(name, () => makePairKey(letter))
  }
}

/** The textbook path: the text under RSA-OAEP, with a seed of the message's own. */
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
  return {
    contentKey: createSecretKey(contentKey),
    encryptedKey: oaepEncrypt(key, contentKey, oaepSeed),
    headerStart: headerStart(kid, sender, recipient),
  }
}

/** uint64 k ‖ uint32 command. */
function nonceOf(k: number, command: number): Uint8Array {
  invariant(isCount(k), 'k is a count')
  invariant(command >>> 0 === command, 'a command number is a uint32')
  const nonce = new Uint8Array(NONCE_LENGTH)
  const view = new DataView(nonce.buffer)
  view.setUint32(0, Math.floor(k / 2 ** 32))
  view.setUint32(4, k >>> 0)
  view.setUint32(8, command)
  return nonce
}

function uint64(x: number): Uint8Array {
  const octets = new Uint8Array(8)
  new DataView(octets.buffer).setBigUint64(0, BigInt(x))
  return octets
}
