// The jobs themselves: scrypt, key generation, unwrapping, opening. Parsed private keys and content
// keys are remembered, so that a page of messages of one key epoch costs one RSA operation.

import { createHash, randomBytes, scryptSync } from 'node:crypto'
import {
  PASSWORD_KEY_LENGTH,
  hashVerifier,
  splitPasswordKey,
  unwrapPrivateKey,
  verifies,
  wrapPrivateKey,
} from '../../protocol/envelope/accounts.js'
import type { PasswordKeys } from '../../protocol/envelope/accounts.js'
import { EnvelopeError } from '../../protocol/envelope/envelope-error.js'
import { checkKeys } from '../../protocol/envelope/held-keys.js'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { readHeader } from '../../protocol/envelope/header.js'
import type { Place } from '../../protocol/envelope/header.js'
import { openWith, unwrapContentKey } from '../../protocol/envelope/open.js'
import type { Opener } from '../../protocol/envelope/open.js'
import { RecentlyUsed } from '../../protocol/envelope/recently-used.js'
import { unreachable } from '../../protocol/assert.js'
import type { AccountKey, Job, JobResult, ScryptCost } from '../../protocol/replicas/compute.js'
import { decodePkcs8, encodePkcs8, encodeSpki } from '../../protocol/rsa/formats.js'
import { thumbprint } from '../../protocol/rsa/jwk.js'
import { generateKey } from '../../protocol/rsa/keys.js'

type JobOf<K extends Job['kind']> = Extract<Job, { kind: K }>
type ResultOf<K extends JobResult['kind']> = Extract<JobResult, { kind: K }>

/** About 0.1 s and 32 MiB. */
const DEFAULT_COST: ScryptCost = { logN: 15, r: 8, p: 1 }

// Costs come from the log; these bounds keep a wrong one from taking the machine's memory.
const MAX_LOG_N = 20
const MAX_R = 32
const MAX_P = 16

const PRIVATE_KEYS = 256
const CONTENT_KEYS = 4096

export class Computations {
  readonly #cost: ScryptCost
  readonly #openers = new RecentlyUsed<string, Opener>(PRIVATE_KEYS)
  readonly #contentKeys = new RecentlyUsed<string, Uint8Array>(CONTENT_KEYS)

  constructor(cost: ScryptCost = DEFAULT_COST) {
    this.#cost = cost
  }

  /** Throws when the computation itself cannot be done, as with a damaged private key. */
  run(job: Job, onProgress: (text: string) => void): JobResult {
    switch (job.kind) {
      case 'create-account':
        return this.#createAccount(job, onProgress)
      case 'unlock':
        return this.#unlock(job)
      case 'change-password':
        return this.#changePassword(job)
      case 'rotate-key':
        return this.#rotateKey(job, onProgress)
      case 'open':
        return this.#open(job)
      default:
        return unreachable(job)
    }
  }

  #createAccount(
    { user, password, bits, keys }: JobOf<'create-account'>,
    onProgress: (text: string) => void,
  ): ResultOf<'create-account' | 'bad-keys'> {
    if (keys && !checkKeys(user, [keys])) return { kind: 'bad-keys' }
    const salt = entropy(16)
    const cost = this.#cost
    const { wrappingKey, verifier } = passwordKeys(password, salt, cost)
    const { key, privateKeys } = newKey(user, wrappingKey, bits, keys, onProgress)
    const verifierHash = hashVerifier(verifier)
    const secrets = { salt, cost, verifierHash, ...key, older: [] }
    return { kind: 'create-account', secrets, privateKeys }
  }

  #unlock({ user, password, secrets }: JobOf<'unlock'>): ResultOf<'unlock'> {
    const { salt, cost, verifierHash } = secrets ?? this.#nobody()
    const { wrappingKey, verifier } = passwordKeys(password, salt, cost)
    if (!verifies(verifier, verifierHash) || !secrets) return { kind: 'unlock', privateKeys: null }
    const wrapped = [secrets, ...secrets.older].filter(({ signing }) => signing === null)
    const keys = wrapped.map(({ wrappedKey }) => unwrapPrivateKey(wrappingKey, user, wrappedKey))
    const privateKeys = keys.filter((key) => key !== null)
    return { kind: 'unlock', privateKeys: privateKeys.length === keys.length ? privateKeys : null }
  }

  #changePassword(job: JobOf<'change-password'>): ResultOf<'change-password'> {
    const { user, newPassword, secrets } = job
    const { privateKeys } = this.#unlock({ ...job, kind: 'unlock' })
    if (!privateKeys) return { kind: 'change-password', secrets: null }
    const salt = entropy(16)
    const cost = this.#cost
    const { wrappingKey, verifier } = passwordKeys(newPassword, salt, cost)
    const rewrap = ({ publicKey, signing }: AccountKey, i: number): AccountKey => {
      const held = privateKeys[i]
      const wrappedKey = held && wrapPrivateKey(wrappingKey, user, entropy(12), held)
      return { publicKey, wrappedKey: wrappedKey ?? new Uint8Array(0), signing }
    }
    const [own, ...older] = [secrets, ...secrets.older].map(rewrap)
    const verifierHash = hashVerifier(verifier)
    return { kind: 'change-password', secrets: { salt, cost, verifierHash, ...own!, older } }
  }

  /** The wrong password costs no search for primes. */
  #rotateKey(
    { user, password, bits, keys, secrets }: JobOf<'rotate-key'>,
    onProgress: (text: string) => void,
  ): ResultOf<'rotate-key' | 'bad-keys'> {
    const { salt, cost, verifierHash, publicKey, wrappedKey, signing } = secrets
    const { wrappingKey, verifier } = passwordKeys(password, salt, cost)
    if (!verifies(verifier, verifierHash)) return { kind: 'rotate-key', rotated: null }
    const older = [{ publicKey, wrappedKey, signing }, ...secrets.older]
    const held = older.flatMap((key) => (key.signing ? { ...key, signing: key.signing } : []))
    // A stolen password alone puts no other keys in the place of a client's own.
    if (keys && !checkKeys(user, [keys, ...held])) return { kind: 'bad-keys' }
    const { key, privateKeys } = newKey(user, wrappingKey, bits, keys, onProgress)
    return { kind: 'rotate-key', rotated: { secrets: { ...secrets, ...key, older }, privateKeys } }
  }

  /** The secrets of who does not exist: the same work, and no password fits. */
  #nobody(): { salt: Uint8Array; cost: ScryptCost; verifierHash: Uint8Array } {
    return { salt: entropy(16), cost: this.#cost, verifierHash: entropy(32) }
  }

  #open({ privateKeys, envelopes, places }: JobOf<'open'>): ResultOf<'open'> {
    const openers = privateKeys.map((key) =>
      this.#openers.getOrMake(sha256(key), () => this.#openerOf(key)),
    )
    return { kind: 'open', texts: envelopes.map((body, i) => textOf(openers, body, places[i])) }
  }

  #openerOf(pkcs8: Uint8Array): Opener {
    // It was generated and checked here, and wrapped under authenticated encryption since.
    const key = decodePkcs8(pkcs8, entropy, { rounds: 0 })
    const kid = thumbprint(key)
    // Remembers failures too: a second try that is slower only for them would tell them apart.
    const unwrap = (encryptedKey: Uint8Array): Uint8Array =>
      this.#contentKeys.getOrMake(`${kid} ${sha256(encryptedKey)}`, () =>
        unwrapContentKey(encryptedKey, key, entropy),
      )
    return { kid, unwrap }
  }
}

function makeKey(
  bits: number,
  onProgress: (text: string) => void,
): { readonly privateKey: Uint8Array; readonly publicKey: Uint8Array } {
  onProgress('searching primes')
  const key = generateKey(bits, entropy, (candidates) =>
    onProgress(`searching primes: ${candidates} candidates`),
  )
  return { privateKey: encodePkcs8(key), publicKey: encodeSpki(key) }
}

/** The client's own, or one made here and wrapped. */
function newKey(
  user: string,
  wrappingKey: Uint8Array,
  bits: number,
  keys: HeldKey | null,
  onProgress: (text: string) => void,
): { readonly key: AccountKey; readonly privateKeys: readonly Uint8Array[] } {
  if (keys) return { key: { ...keys, wrappedKey: new Uint8Array(0) }, privateKeys: [] }
  const { privateKey, publicKey } = makeKey(bits, onProgress)
  const wrappedKey = wrapPrivateKey(wrappingKey, user, entropy(12), privateKey)
  return { key: { publicKey, wrappedKey, signing: null }, privateKeys: [privateKey] }
}

/** By the key that the envelope names; where there is none of that name, by the newest, in vain. */
function textOf(
  openers: readonly Opener[],
  body: Uint8Array,
  place: Place | undefined,
): string | null {
  const [newest] = openers
  if (!place || !newest) return null
  try {
    const { kid } = readHeader(body)
    return openWith(openers.find((opener) => opener.kid === kid) ?? newest, body, place).text
  } catch (error) {
    if (error instanceof EnvelopeError) return null
    throw error
  }
}

function passwordKeys(password: string, salt: Uint8Array, cost: ScryptCost): PasswordKeys {
  const { logN, r, p } = cost
  if (!(logN >= 1 && logN <= MAX_LOG_N && r >= 1 && r <= MAX_R && p >= 1 && p <= MAX_P)) {
    throw new RangeError(`scrypt cost out of bounds: logN ${logN}, r ${r}, p ${p}`)
  }
  const N = 2 ** logN
  // 128 N r bytes and some (RFC 7914 section 2); Node refuses more than 32 MiB unless told.
  const maxmem = 128 * r * (N + p + 2)
  // RFC 8265 section 4.2.2: however it was typed, the same password.
  const text = password.normalize('NFC')
  return splitPasswordKey(scryptSync(text, salt, PASSWORD_KEY_LENGTH, { N, r, p, maxmem }))
}

function sha256(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url')
}

function entropy(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes))
}
