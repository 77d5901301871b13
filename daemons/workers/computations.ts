// The jobs of a worker thread: scrypt, key generation, unwrapping, opening. Parsed private keys and
// content keys are cached, so that a page of messages of one key epoch costs one RSA operation.

import { createHash, randomBytes } from 'node:crypto'
import {
  derivePasswordKeys,
  hashVerifier,
  unwrapPrivateKey,
  verifies,
  wrapPrivateKey,
} from '../../protocol/envelope/accounts.js'
import { EnvelopeError } from '../../protocol/envelope/envelope-error.js'
import { checkNewKeys, type HeldKey } from '../../protocol/envelope/held-keys.js'
import { readHeader, type MessagePlace } from '../../protocol/envelope/header.js'
import { openWith, openerOf, type Opener } from '../../protocol/envelope/open.js'
import { RecentlyUsed } from '../../protocol/recently-used.js'
import { unreachable } from '../../protocol/assert.js'
import type { Job, JobResult } from '../../protocol/machine/compute.js'
import type { AccountKey, AccountSecrets, ScryptCost } from '../../protocol/envelope/secrets.js'
import { decodePkcs8, encodePkcs8, encodeSpki } from '../../protocol/rsa/formats.js'
import { generateKey } from '../../protocol/rsa/keys.js'
import { demandUse } from '../../protocol/rsa/key-limits.js'
import { RsaError } from '../../protocol/rsa/rsa-error.js'

type JobOf<K extends Job['kind']> = Extract<Job, { kind: K }>
type ResultOf<K extends JobResult['kind']> = Extract<JobResult, { kind: K }>

/** scrypt's cost for new passwords: about 0.1 s and 32 MiB. */
const DEFAULT_COST: ScryptCost = { logN: 15, r: 8, p: 1 }

const PRIVATE_KEYS = 256
const CONTENT_KEYS = 4096

export class Computations {
  readonly #cost: ScryptCost
  readonly #openers = new RecentlyUsed<string, Opener>(PRIVATE_KEYS)
  readonly #contentKeys = new RecentlyUsed<string, Uint8Array>(CONTENT_KEYS)

  constructor(cost: ScryptCost = DEFAULT_COST) {
    this.#cost = cost
  }

  /** Runs a job. Throws if the computation cannot be done, as with a damaged private key. */
  run(job: Job, onProgress: (text: string) => void): JobResult {
    switch (job.kind) {
      case 'create-account':
        return this.#createAccount(job, onProgress)
      case 'hash-password':
        return this.#hashPassword(job)
      case 'unlock':
        return this.#unlock(job)
      case 'change-password':
        return this.#changePassword(job)
      case 'rotate-key':
        return this.#rotateKey(job, onProgress)
      case 'add-key':
        return this.#addKey(job)
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
    if (keys && !checkNewKeys(user, keys, [])) return { kind: 'bad-keys' }
    const salt = entropy(16)
    const cost = this.#cost
    const { wrappingKey, verifier } = derivePasswordKeys(password, salt, cost)
    const { key, privateKeys } = newKey(user, wrappingKey, bits, keys, onProgress)
    const verifierHash = hashVerifier(verifier)
    const secrets = { salt, cost, verifierHash, ...key, older: [] }
    return { kind: 'create-account', secrets, privateKeys }
  }

  #hashPassword({ password }: JobOf<'hash-password'>): ResultOf<'hash-password'> {
    derivePasswordKeys(password, entropy(16), this.#cost)
    return { kind: 'hash-password' }
  }

  #unlock({ user, password, secrets }: JobOf<'unlock'>): ResultOf<'unlock'> {
    const { salt, cost, verifierHash } = secrets ?? this.#unknownUser()
    const { wrappingKey, verifier } = derivePasswordKeys(password, salt, cost)
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
    const { wrappingKey, verifier } = derivePasswordKeys(newPassword, salt, cost)
    const rewrap = ({ publicKey, signing }: AccountKey, i: number): AccountKey => {
      const held = privateKeys[i]
      const wrappedKey = held && wrapPrivateKey(wrappingKey, user, held, entropy)
      return { publicKey, wrappedKey: wrappedKey ?? new Uint8Array(0), signing }
    }
    const [own, ...older] = [secrets, ...secrets.older].map(rewrap)
    const verifierHash = hashVerifier(verifier)
    return { kind: 'change-password', secrets: { salt, cost, verifierHash, ...own!, older } }
  }

  /** Checks the password first, so that a wrong one costs no search for primes. */
  #rotateKey(
    { user, password, bits, keys, secrets }: JobOf<'rotate-key'>,
    onProgress: (text: string) => void,
  ): ResultOf<'rotate-key' | 'bad-keys'> {
    const { salt, cost, verifierHash } = secrets
    const { wrappingKey, verifier } = derivePasswordKeys(password, salt, cost)
    if (!verifies(verifier, verifierHash)) return { kind: 'rotate-key', rotated: null }
    const older = keysOf(secrets)
    const held = older.flatMap((key) => (key.signing ? { ...key, signing: key.signing } : []))
    // The keys before must vouch for new ones: a stolen password alone cannot replace a client's
    // keys.
    if (keys && !checkNewKeys(user, keys, held)) return { kind: 'bad-keys' }
    const { key, privateKeys } = newKey(user, wrappingKey, bits, keys, onProgress)
    return { kind: 'rotate-key', rotated: { secrets: { ...secrets, ...key, older }, privateKeys } }
  }

  /** Adds a key made elsewhere, which must pass every check before it is wrapped again. */
  #addKey({ user, password, wrappedKey: given, secrets }: JobOf<'add-key'>): ResultOf<'add-key'> {
    const { salt, cost, verifierHash } = secrets
    const { wrappingKey, verifier } = derivePasswordKeys(password, salt, cost)
    const refuse = (badKey: string | null): ResultOf<'add-key'> => {
      return { kind: 'add-key', rotated: null, badKey }
    }
    if (!verifies(verifier, verifierHash)) return refuse(null)
    const unwrapped = unwrapPrivateKey(wrappingKey, user, given)
    if (!unwrapped) return refuse('it is not wrapped under the current password')
    const checked = checkedKey(unwrapped)
    if ('reason' in checked) return refuse(checked.reason)
    const { publicKey, privateKey } = checked
    const others = keysOf(secrets)
    if (others.some((other) => Buffer.compare(other.publicKey, publicKey) === 0)) {
      return refuse('the account has this key already')
    }
    const wrappedKey = wrapPrivateKey(wrappingKey, user, privateKey, entropy)
    const changed = { ...secrets, publicKey, wrappedKey, older: others }
    const rotated = { secrets: changed, privateKeys: [privateKey] }
    return { kind: 'add-key', rotated, badKey: null }
  }

  /** Secrets for an unknown user, so that its log-in takes the same work as any other and fails. */
  #unknownUser(): { salt: Uint8Array; cost: ScryptCost; verifierHash: Uint8Array } {
    return { salt: entropy(16), cost: this.#cost, verifierHash: entropy(32) }
  }

  #open({ privateKeys, envelopes, places }: JobOf<'open'>): ResultOf<'open'> {
    const openers = privateKeys.map((key) =>
      this.#openers.getOrMake(sha256(key), () => this.#openerOf(key)),
    )
    return { kind: 'open', texts: envelopes.map((body, i) => textOf(openers, body, places[i])) }
  }

  #openerOf(pkcs8: Uint8Array): Opener {
    // No primality test: the key was made or checked here before it was wrapped with
    // authentication.
    const key = decodePkcs8(pkcs8, entropy, { rounds: 0 })
    const opener = openerOf(key, entropy)
    // Failures are cached too (unwrap gives a random key): a slower retry would reveal a failure.
    const unwrap = (encryptedKey: Uint8Array): Uint8Array =>
      this.#contentKeys.getOrMake(`${opener.kid} ${sha256(encryptedKey)}`, () =>
        opener.unwrap(encryptedKey),
      )
    return { ...opener, unwrap }
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

/** The client's own key, or one made and wrapped here. */
function newKey(
  user: string,
  wrappingKey: Uint8Array,
  bits: number,
  keys: HeldKey | null,
  onProgress: (text: string) => void,
): { readonly key: AccountKey; readonly privateKeys: readonly Uint8Array[] } {
  if (keys) return { key: { ...keys, wrappedKey: new Uint8Array(0) }, privateKeys: [] }
  const { privateKey, publicKey } = makeKey(bits, onProgress)
  const wrappedKey = wrapPrivateKey(wrappingKey, user, privateKey, entropy)
  return { key: { publicKey, wrappedKey, signing: null }, privateKeys: [privateKey] }
}

/** All keys of an account, newest first, without its other secrets. */
function keysOf(secrets: AccountSecrets): AccountKey[] {
  return [secrets, ...secrets.older].map(({ publicKey, wrappedKey, signing }) => {
    return { publicKey, wrappedKey, signing }
  })
}

/** A PKCS#8 key made elsewhere, written again, or the reason why it must not be used. */
function checkedKey(
  pkcs8: Uint8Array,
): { publicKey: Uint8Array; privateKey: Uint8Array } | { reason: string } {
  try {
    const key = decodePkcs8(pkcs8, entropy)
    demandUse(key, 'decrypt', { hash: 'sha256', mgf1Hash: 'sha256' })
    return { publicKey: encodeSpki(key), privateKey: encodePkcs8(key) }
  } catch (error) {
    if (error instanceof RsaError) return { reason: error.message }
    throw error
  }
}

/** Opens with the key that the envelope names. An unknown name costs the same work, in vain. */
function textOf(
  openers: readonly Opener[],
  body: Uint8Array,
  place: MessagePlace | undefined,
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

function sha256(octets: Uint8Array): string {
  return createHash('sha256').update(octets).digest('base64url')
}

function entropy(bytes: number): Uint8Array {
  return new Uint8Array(randomBytes(bytes))
}
