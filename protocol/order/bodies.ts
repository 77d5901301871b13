// Bodies of entries that execution itself reads, as JSON: they are few, and people can read them.

import type { AccountKey, AccountSecrets } from '../replicas/compute.js'

export interface Account {
  readonly name: string
  readonly secrets: AccountSecrets
  /** Of the registration: repeating it with the same token is the same registration. */
  readonly token: Uint8Array
  /** 1 at the registration; each change adds one. */
  readonly version: number
  /** Of the last change, as `token`; empty: there was none. */
  readonly changeToken: Uint8Array
}

/** Why nothing was done; `value`: the expected seq, or the seq that was answered before. */
export interface Note {
  readonly code: number
  readonly value: number
}

const parse = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString('utf8'))
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0

const text64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64url')
const bytes64 = (text: string): Uint8Array => Buffer.from(text, 'base64url')

interface KeyJson {
  publicKey: string
  wrappedKey: string
  /** Signing key, its signature, the previous one's; only of client-held accounts. */
  signing?: [publicKey: string, own: string, previous: string]
}

function keyJson({ publicKey, wrappedKey, signing }: AccountKey): KeyJson {
  const json = { publicKey: text64(publicKey), wrappedKey: text64(wrappedKey) }
  if (!signing) return json
  const { ownSignature, previousSignature } = signing
  const parts = [
    text64(signing.publicKey),
    text64(ownSignature),
    text64(previousSignature),
  ] as const
  return { ...json, signing: [...parts] }
}

function keyOf({ publicKey, wrappedKey, signing }: KeyJson): AccountKey {
  const key = { publicKey: bytes64(publicKey), wrappedKey: bytes64(wrappedKey) }
  if (!signing) return { ...key, signing: null }
  const [own, ownSignature, previousSignature] = signing.map(bytes64) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ]
  return { ...key, signing: { publicKey: own, ownSignature, previousSignature } }
}

export function encodeAccount(account: Omit<Account, 'name'>): Uint8Array {
  const { secrets, token, version, changeToken } = account
  return Buffer.from(
    JSON.stringify({
      token: text64(token),
      version,
      changeToken: text64(changeToken),
      salt: text64(secrets.salt),
      cost: [secrets.cost.logN, secrets.cost.r, secrets.cost.p],
      verifierHash: text64(secrets.verifierHash),
      ...keyJson(secrets),
      older: secrets.older.map(keyJson),
    }),
  )
}

/** Throws where the bytes are no account. */
export function decodeAccount(name: string, body: Uint8Array): Account {
  const json = parse(body) as KeyJson & {
    token: string
    salt: string
    cost: [number, number, number]
    verifierHash: string
    /** These are missing in what was written before accounts could be changed. */
    version?: number
    changeToken?: string
    older?: KeyJson[]
  }
  const [logN, r, p] = json.cost
  const { version = 1 } = json
  if (![logN, r, p, version].every(isCount)) throw new RangeError('account body: counts expected')
  return {
    name,
    token: bytes64(json.token),
    version,
    changeToken: bytes64(json.changeToken ?? ''),
    secrets: {
      salt: bytes64(json.salt),
      cost: { logN, r, p },
      verifierHash: bytes64(json.verifierHash),
      ...keyOf(json),
      older: (json.older ?? []).map(keyOf),
    },
  }
}

export function encodeCursors(cursors: ReadonlyMap<string, number>): Uint8Array {
  return Buffer.from(JSON.stringify([...cursors]))
}

/** Throws where the bytes are not cursors. */
export function decodeCursors(body: Uint8Array): [string, number][] {
  const cursors: unknown = parse(body)
  const isCursor = (one: unknown): boolean =>
    Array.isArray(one) && one.length === 2 && typeof one[0] === 'string' && isCount(one[1])
  if (!Array.isArray(cursors) || !cursors.every(isCursor)) {
    throw new RangeError('cursors body: pairs of name and index expected')
  }
  return cursors as [string, number][]
}

export function encodeNote(note: Note): Uint8Array {
  return Buffer.from(JSON.stringify([note.code, note.value]))
}

/** Throws where the bytes are no note. */
export function decodeNote(body: Uint8Array): Note {
  const note: unknown = parse(body)
  if (!Array.isArray(note) || note.length !== 2 || !note.every(isCount)) {
    throw new RangeError('note body: code and value expected')
  }
  const [code, value] = note as [number, number]
  return { code, value }
}
