// Bodies of entries that execution itself reads, as JSON: they are few, and people can read them.

import type { AccountKey, AccountSecrets } from '../envelope/secrets.js'
import type { Mark } from './marks.js'

export interface Account {
  readonly name: string
  readonly secrets: AccountSecrets
  /** Of the registration: repeating it with the same token is the same registration. */
  readonly token: Uint8Array
  /** 1 at the registration; each change adds one. */
  readonly version: number
  /** Of the last change, as `token`; empty: there was none. */
  readonly changeToken: Uint8Array
  /** SHA-256 of the code that the registration used up; null: none, or a later version. */
  readonly invitation: Uint8Array | null
}

export interface Invitation {
  /** SHA-256 of its code. */
  readonly invitation: Uint8Array
  /** By order time, ms since 1970. */
  readonly expires: number
}

export interface Block {
  readonly name: string
  /** false: taken off the list. */
  readonly blocked: boolean
}

/** Why nothing was done; `value`: the expected seq, or the seq that was answered before. */
export interface Note {
  readonly code: number
  readonly value: number
}

const write = (value: unknown): Uint8Array => Buffer.from(JSON.stringify(value))
const read = (body: Uint8Array): unknown => JSON.parse(Buffer.from(body).toString('utf8'))
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
  const { secrets, token, version, changeToken, invitation } = account
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
      ...(invitation && { invitation: text64(invitation) }),
    }),
  )
}

/** Throws where the bytes are no account. */
export function decodeAccount(name: string, body: Uint8Array): Account {
  const json = read(body) as KeyJson & {
    token: string
    salt: string
    cost: [number, number, number]
    verifierHash: string
    /** These are missing in what was written before accounts could be changed. */
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
    token: bytes64(json.token),
    version,
    changeToken: bytes64(json.changeToken ?? ''),
    invitation: json.invitation === undefined ? null : bytes64(json.invitation),
    secrets: {
      salt: bytes64(json.salt),
      cost: { logN, r, p },
      verifierHash: bytes64(json.verifierHash),
      ...keyOf(json),
      older: (json.older ?? []).map(keyOf),
    },
  }
}

export function encodeMarks(marks: Iterable<readonly [string, Mark]>): Uint8Array {
  return write([...marks].map(([user, { read, delivered }]) => [user, read, delivered]))
}

/** Throws where the bytes are no marks. */
export function decodeMarks(body: Uint8Array): [string, Mark][] {
  const marks = read(body)
  const isMark = (one: unknown): boolean =>
    Array.isArray(one) && typeof one[0] === 'string' && one.slice(1).every(isCount)
  if (!Array.isArray(marks) || !marks.every(isMark)) {
    throw new RangeError('marks body: names and indices expected')
  }
  // An older version wrote how far was read alone.
  return (marks as [user: string, read: number, delivered?: number][]).map(
    ([user, read, delivered = read]) => [user, { delivered, read }],
  )
}

export function encodeNote(note: Note): Uint8Array {
  return write([note.code, note.value])
}

/** Throws where the bytes are no note. */
export function decodeNote(body: Uint8Array): Note {
  const note = read(body)
  if (!Array.isArray(note) || note.length !== 2 || !note.every(isCount)) {
    throw new RangeError('note body: code and value expected')
  }
  const [code, value] = note as [number, number]
  return { code, value }
}

/** `token`: of the request that ended the account. */
export function encodeClosing(token: Uint8Array): Uint8Array {
  return write([text64(token)])
}

/** Throws where the bytes are no token. */
export function decodeClosing(body: Uint8Array): Uint8Array {
  const closing = read(body)
  if (!Array.isArray(closing) || typeof closing[0] !== 'string') {
    throw new RangeError('closing body: token expected')
  }
  return bytes64(closing[0])
}

export function encodeInvitation({ invitation, expires }: Invitation): Uint8Array {
  return write([text64(invitation), expires])
}

/** Throws where the bytes are no invitation. */
export function decodeInvitation(body: Uint8Array): Invitation {
  const written = read(body)
  if (!Array.isArray(written) || typeof written[0] !== 'string' || !isCount(written[1])) {
    throw new RangeError('invitation body: id and time expected')
  }
  const [invitation, expires] = written as [string, number]
  return { invitation: bytes64(invitation), expires }
}

export function encodeBlock({ name, blocked }: Block): Uint8Array {
  return write([name, blocked])
}

/** Throws where the bytes are no entry of a block list. */
export function decodeBlock(body: Uint8Array): Block {
  const written = read(body)
  if (
    !Array.isArray(written) ||
    typeof written[0] !== 'string' ||
    typeof written[1] !== 'boolean'
  ) {
    throw new RangeError('block body: name and truth expected')
  }
  const [name, blocked] = written as [string, boolean]
  return { name, blocked }
}
