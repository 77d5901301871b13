// An account as execution reads it, and the body of the entry that stores it.

import { fromBase64url, isCount, readJson, toBase64url, writeJson } from '../entries/json-body.js'
import type { AccountKey, AccountSecrets } from '../envelope/secrets.js'

export interface Account {
  readonly name: string
  readonly secrets: AccountSecrets
  /** Token of the registration: a REGISTER with the same token repeats it. */
  readonly token: Uint8Array
  /** 1 at the registration; each change adds one. */
  readonly version: number
  /** Token of the last change; empty: there was none. */
  readonly changeToken: Uint8Array
  /** SHA-256 of the code that the registration used up; null: none, or a later version. */
  readonly invitation: Uint8Array | null
}

interface KeyJson {
  publicKey: string
  wrappedKey: string
  /**
   * Signing key, its signature, the signature by the previous one; only in client-held accounts.
   */
  signing?: [publicKey: string, own: string, previous: string]
}

function keyJson({ publicKey, wrappedKey, signing }: AccountKey): KeyJson {
  const json = { publicKey: toBase64url(publicKey), wrappedKey: toBase64url(wrappedKey) }
  if (!signing) return json
  const { ownSignature, previousSignature } = signing
  const parts = [
    toBase64url(signing.publicKey),
    toBase64url(ownSignature),
    toBase64url(previousSignature),
  ] as const
  return { ...json, signing: [...parts] }
}

function keyOf({ publicKey, wrappedKey, signing }: KeyJson): AccountKey {
  const key = { publicKey: fromBase64url(publicKey), wrappedKey: fromBase64url(wrappedKey) }
  if (!signing) return { ...key, signing: null }
  const [own, ownSignature, previousSignature] = signing.map(fromBase64url) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  return { ...key, signing: { publicKey: own, ownSignature, previousSignature } }
}

export function encodeAccount(account: Omit<Account, 'name'>): Uint8Array {
  const { secrets, token, version, changeToken, invitation } = account
  return writeJson({
    token: toBase64url(token),
    version,
    changeToken: toBase64url(changeToken),
    salt: toBase64url(secrets.salt),
    cost: [secrets.cost.logN, secrets.cost.r, secrets.cost.p],
    verifierHash: toBase64url(secrets.verifierHash),
    ...keyJson(secrets),
    older: secrets.older.map(keyJson),
    ...(invitation && { invitation: toBase64url(invitation) }),
  })
}

/** Throws if the bytes are no account. */
export function decodeAccount(name: string, body: Uint8Array): Account {
  const json = readJson(body) as KeyJson & {
    token: string
    salt: string
    cost: [number, number, number]
    verifierHash: string
    /** Missing in entries from before accounts could be changed, as are the next three. */
    version?: number
    changeToken?: string
    older?: KeyJson[]
    invitation?: string
  }
  const [logN, r, p] = json.cost
  const { version = 1 } = json
  if (![logN, r, p, version].every(isCount)) throw new RangeError('account body: counts expected')
  return {
    name,
    token: fromBase64url(json.token),
    version,
    changeToken: fromBase64url(json.changeToken ?? ''),
    invitation: json.invitation === undefined ? null : fromBase64url(json.invitation),
    secrets: {
      salt: fromBase64url(json.salt),
      cost: { logN, r, p },
      verifierHash: fromBase64url(json.verifierHash),
      ...keyOf(json),
      older: (json.older ?? []).map(keyOf),
    },
  }
}

/**
 * Whether the user's client alone holds the keys: fixed at the registration, so that senders can
 * rely on it.
 */
export function isClientHeld({ signing }: AccountSecrets): boolean {
  return signing !== null
}

/** The secrets among the fields of a command. */
export function secretsOf(command: AccountSecrets): AccountSecrets {
  const { salt, cost, verifierHash, publicKey, wrappedKey, signing, older } = command
  return { salt, cost, verifierHash, publicKey, wrappedKey, signing, older }
}
