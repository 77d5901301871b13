// Cheap stand-ins for the long computations and the envelope. They keep the shape of the real ones:
// a key opens only what was sealed for it, a password only its own account, and every bit of the
// seal's input changes its bytes.

import { sha256 } from '../../protocol/bytes.js'
import { headerStart, parseHeader } from '../../protocol/envelope/header.js'
import type { HeldKey } from '../../protocol/envelope/held-keys.js'
import { TAG_LENGTH, splitParts } from '../../protocol/envelope/parts.js'
import { encodeShared } from '../../protocol/envelope/stored.js'
import type { Entropy } from '../../protocol/entropy.js'
import type { Job, JobResult } from '../../protocol/machine/compute.js'
import type { AccountKey, AccountSecrets } from '../../protocol/envelope/secrets.js'
import type { RecipientKey, Seal } from '../../protocol/envelope/seal.js'

const bytesOf = (text: string): Uint8Array => Buffer.from(text, 'utf8')
const textOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('utf8')
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** FNV-1a, twice 32 bits: enough to tell inputs apart, and fast. */
function digest(text: string): string {
  let a = 0x811c9dc5
  let b = 0x9747b28c
  for (let i = 0; i < text.length; i++) {
    a = Math.imul(a ^ text.charCodeAt(i), 0x01000193)
    b = Math.imul(b ^ text.charCodeAt(i), 0x85ebca6b)
  }
  return `${(a >>> 0).toString(16)}${(b >>> 0).toString(16)}`
}

const privateKeyOf = (name: string): string => `private:${name}`

/** Wraps a key as a client does that brings its own. */
export function wrap(name: string, password: string): AccountKey {
  const wrappedKey = bytesOf(JSON.stringify([password, privateKeyOf(name)]))
  return { publicKey: bytesOf(name), wrappedKey, signing: null }
}

/**
 * A client-held key: wrapped all the same, so that the checks see which password counts; it opens
 * nothing.
 */
function held({ publicKey, signing }: HeldKey, password: string): AccountKey {
  return { ...wrap(textOf(publicKey), password), signing }
}

/** null: the password is another one, or `wrap` did not make the key. */
function unwrap({ wrappedKey }: AccountKey, password: string): string | null {
  try {
    const [right, key] = JSON.parse(textOf(wrappedKey)) as [string, string]
    return right === password ? key : null
  } catch {
    return null
  }
}

const verifierOf = (password: string): Uint8Array =>
  bytesOf(digest(password).padEnd(32, '.').slice(0, 32))

function changePassword(secrets: AccountSecrets, newPassword: string): AccountSecrets {
  const rewrap = ({ publicKey, signing }: AccountKey): AccountKey => {
    return { ...wrap(textOf(publicKey), newPassword), signing }
  }
  const verifierHash = verifierOf(newPassword)
  return { ...secrets, verifierHash, ...rewrap(secrets), older: secrets.older.map(rewrap) }
}

export function compute(job: Job, entropy: Entropy): JobResult {
  switch (job.kind) {
    case 'create-account': {
      const name = hex(entropy(8))
      const salt = entropy(16)
      const cost = { logN: 1, r: 1, p: 1 }
      const verifierHash = verifierOf(job.password)
      const key = job.keys ? held(job.keys, job.password) : wrap(name, job.password)
      const secrets = { salt, cost, verifierHash, ...key, older: [] }
      return { kind: 'create-account', privateKeys: [bytesOf(privateKeyOf(name))], secrets }
    }
    case 'hash-password':
      return { kind: 'hash-password' }
    case 'unlock': {
      const keys = job.secrets ? [job.secrets, ...job.secrets.older] : []
      const privateKeys = keys.flatMap((key) => unwrap(key, job.password) ?? []).map(bytesOf)
      return { kind: 'unlock', privateKeys: privateKeys.length > 0 ? privateKeys : null }
    }
    case 'change-password': {
      const { secrets, password, newPassword } = job
      const right = unwrap(secrets, password) !== null
      return {
        kind: 'change-password',
        secrets: right ? changePassword(secrets, newPassword) : null,
      }
    }
    case 'rotate-key': {
      const { secrets, password } = job
      if (unwrap(secrets, password) === null) return { kind: 'rotate-key', rotated: null }
      const name = hex(entropy(8))
      const { publicKey, wrappedKey, signing } = secrets
      const older = [{ publicKey, wrappedKey, signing }, ...secrets.older]
      const key = job.keys ? held(job.keys, password) : wrap(name, password)
      const rotated = { ...secrets, ...key, older }
      const privateKeys = [bytesOf(privateKeyOf(name))]
      return { kind: 'rotate-key', rotated: { secrets: rotated, privateKeys } }
    }
    case 'add-key': {
      const { secrets, password, wrappedKey } = job
      const refused = { kind: 'add-key', rotated: null } as const
      if (unwrap(secrets, password) === null) return { ...refused, badKey: null }
      const added = { publicKey: bytesOf(''), wrappedKey, signing: null }
      const key = unwrap(added, password)
      if (key === null) return { ...refused, badKey: 'another password' }
      const { publicKey, wrappedKey: before, signing } = secrets
      const older = [{ publicKey, wrappedKey: before, signing }, ...secrets.older]
      const name = key.slice(privateKeyOf('').length)
      const rotated = { ...secrets, ...wrap(name, password), older }
      return {
        kind: 'add-key',
        rotated: { secrets: rotated, privateKeys: [bytesOf(key)] },
        badKey: null,
      }
    }
    case 'open': {
      // A computation fails now and then, as where too many wait or a worker died.
      if (entropy(1)[0]! < 3) return { kind: 'failed', reason: 'busy' }
      const keys = job.privateKeys.map(textOf)
      return { kind: 'open', texts: job.envelopes.map((envelope) => open(envelope, keys)) }
    }
  }
}

export const readKey = (publicKey: Uint8Array): RecipientKey => ({
  kid: textOf(publicKey),
  bits: 2048,
})

export const seal: Seal = (input) => {
  const { recipientKey, term, k, command, sender, recipient, seq, time, text } = input
  const place = [term, k, command, sender, recipient, hex(input.stream), seq, time]
  const epoch = [term, hex(input.keySeed)]
  const proof = sha256(bytesOf(JSON.stringify([...place, ...epoch, text])))
  return {
    shared: encodeShared(
      headerStart(recipientKey.kid, sender, recipient),
      sha256(bytesOf(JSON.stringify(epoch))),
    ),
    own: Buffer.concat([bytesOf(text), proof.subarray(0, TAG_LENGTH)]),
  }
}

function open(envelope: Uint8Array, privateKeys: readonly string[]): string | null {
  try {
    const { header, ciphertext } = splitParts(envelope)
    const { kid } = parseHeader(header)
    return privateKeys.includes(privateKeyOf(kid)) ? textOf(ciphertext) : null
  } catch {
    return null
  }
}
