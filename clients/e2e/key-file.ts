// The key file of a client-held account, as JSON. "keys" is encrypted with a random file key
// (AES-256-GCM); each slot holds the file key, encrypted with scrypt of one password. A change of
// password rewrites only slots, and while it is unanswered both passwords open the file. Every
// reason why the file does not open is NO_KEYS.

import { randomBytes, scrypt } from 'node:crypto'
import type { BinaryLike, ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'
import { unwrapPrivateKey, wrapPrivateKey } from '../../protocol/envelope/accounts.js'
import { normalForm } from '../../protocol/password.js'
import { clientError } from '../errors.js'
import type { TrocaError } from '../errors.js'

/** A pair of private keys: PKCS#8, DER. */
export interface PrivatePair {
  readonly sealing: Uint8Array
  readonly signing: Uint8Array
}

interface Slot {
  readonly salt: string
  /** log2 N, r, p. */
  readonly cost: readonly [number, number, number]
  readonly fileKey: string
}

interface Written {
  readonly version: 1
  readonly cluster: string
  readonly user: string
  readonly slots: readonly Slot[]
  readonly keys: string
}

/** Cost of new slots: about 0.1 s and 32 MiB for each tried password. */
const COST = [15, 8, 1] as const
/** Upper bounds of the cost in a file, because a file may come from anywhere. */
const MAX_COST = [20, 32, 16] as const
const KEY_BYTES = 32
const SALT_BYTES = 16

const derive = promisify<BinaryLike, BinaryLike, number, ScryptOptions, Buffer>(scrypt)
const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const bytes64 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'base64url'))

export class KeyFile {
  readonly cluster: string
  readonly user: string
  /** Newest first. */
  pairs: readonly PrivatePair[]
  /** A slot for each password that opens the file. */
  slots: readonly Slot[]
  readonly #fileKey: Uint8Array

  private constructor(
    { cluster, user, slots }: Pick<Written, 'cluster' | 'user' | 'slots'>,
    fileKey: Uint8Array,
    pairs: readonly PrivatePair[],
  ) {
    this.cluster = cluster
    this.user = user
    this.slots = slots
    this.#fileKey = fileKey
    this.pairs = pairs
  }

  static async make(cluster: string, user: string, password: string): Promise<KeyFile> {
    const file = new KeyFile({ cluster, user, slots: [] }, randomBytes(KEY_BYTES), [])
    file.slots = await file.slotsFor([password])
    return file
  }

  /** Rejects with NO_KEYS if the file is another user's or the password does not open it. */
  static async open(
    text: string,
    cluster: string,
    user: string,
    password: string,
  ): Promise<KeyFile> {
    const written = parse(text)
    if (written.cluster !== cluster || written.user !== user) {
      throw unusable(`this is the key file of ${written.user} in cluster ${written.cluster}`)
    }
    const fileKey = await fileKeyOf(written, password)
    if (!fileKey) throw unusable('the password does not open it, or the file is damaged')
    return new KeyFile(written, fileKey, pairsIn(written, fileKey))
  }

  /** Merges the keys of `text`, which another process may have written, with those here. */
  reread(text: string): void {
    const written = parse(text)
    const pairs = pairsIn(written, this.#fileKey)
    const names = new Set(pairs.map(({ signing }) => text64(signing)))
    this.pairs = [...this.pairs.filter(({ signing }) => !names.has(text64(signing))), ...pairs]
    this.slots = written.slots
  }

  async opensWith(password: string): Promise<boolean> {
    const written = { user: this.user, slots: this.slots }
    return (await fileKeyOf(written, password)) !== null
  }

  async slotsFor(passwords: readonly string[]): Promise<readonly Slot[]> {
    const slots: Slot[] = []
    for (const password of passwords) {
      const salt = randomBytes(SALT_BYTES)
      const wrappingKey = await stretch(password, salt, COST)
      const wrapped = wrapPrivateKey(wrappingKey, this.user, this.#fileKey, randomBytes)
      slots.push({ salt: text64(salt), cost: COST, fileKey: text64(wrapped) })
    }
    return slots
  }

  toString(): string {
    const { cluster, user } = this
    const pairs = this.pairs.map(({ sealing, signing }) => [text64(sealing), text64(signing)])
    const plain = Buffer.from(JSON.stringify(pairs))
    const keys = text64(wrapPrivateKey(this.#fileKey, user, plain, randomBytes))
    const written: Written = { version: 1, cluster, user, slots: this.slots, keys }
    return `${JSON.stringify(written, null, 2)}\n`
  }
}

function parse(text: string): Written {
  try {
    const written = JSON.parse(text) as Written
    const shaped = Array.isArray(written.slots) && typeof written.keys === 'string'
    if (written.version === 1 && shaped) return written
  } catch {
    // Falls through to the one error.
  }
  throw unusable('the file is not a key file of this version')
}

async function fileKeyOf(
  { user, slots }: Pick<Written, 'user' | 'slots'>,
  password: string,
): Promise<Uint8Array | null> {
  for (const { salt, cost, fileKey } of slots) {
    const wrappingKey = await stretch(password, bytes64(salt), cost)
    const opened = unwrapPrivateKey(wrappingKey, user, bytes64(fileKey))
    if (opened) return opened
  }
  return null
}

function pairsIn({ user, keys }: Written, fileKey: Uint8Array): PrivatePair[] {
  const plain = unwrapPrivateKey(fileKey, user, bytes64(keys))
  if (!plain) throw unusable('the file is damaged')
  const pairs = JSON.parse(Buffer.from(plain).toString('utf8')) as [string, string][]
  return pairs.map(([sealing, signing]) => ({
    sealing: bytes64(sealing),
    signing: bytes64(signing),
  }))
}

async function stretch(password: string, salt: Uint8Array, cost: Slot['cost']): Promise<Buffer> {
  if (!cost.every((value, i) => value >= 1 && value <= MAX_COST[i]!)) {
    throw unusable('the file asks for too much work')
  }
  const [logN, r, p] = cost
  const N = 2 ** logN
  // scrypt takes 128 r (N + p + 2) bytes (RFC 7914); Node refuses more than 32 MiB by default.
  const maxmem = 128 * r * (N + p + 2)
  return derive(normalForm(password), salt, KEY_BYTES, { N, r, p, maxmem })
}

function unusable(why: string): TrocaError {
  return clientError('NO_KEYS', `the key file cannot be used: ${why}`, true)
}
