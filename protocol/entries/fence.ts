// The body of a TERM entry: who owns the term.

import type { Owner } from '../machine/storage.js'

export function encodeTerm(owner: Owner): Uint8Array {
  return Buffer.from(JSON.stringify([owner.slot, owner.boot, owner.nonce]), 'utf8')
}

/** Throws where the bytes are not a TERM's body. */
export function decodeTerm(body: Uint8Array): Owner {
  const value: unknown = JSON.parse(Buffer.from(body).toString('utf8'))
  if (!Array.isArray(value)) throw new RangeError('TERM body: array expected')
  const [slot, boot, nonce] = value as unknown[]
  if (!Number.isSafeInteger(slot) || typeof boot !== 'string' || typeof nonce !== 'string') {
    throw new RangeError('TERM body: slot, boot and nonce expected')
  }
  return { slot: slot as number, boot, nonce }
}
