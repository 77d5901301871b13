// The body of a TERM entry: who owns the term. slot u8, then boot and nonce, each after its length
// as u8. Its bytes are part of the chain: one owner has one encoding.

import { invariant } from '../assert.js'
import type { Owner } from './storage.js'

export function encodeTerm(owner: Owner): Uint8Array {
  const boot = Buffer.from(owner.boot, 'utf8')
  const nonce = Buffer.from(owner.nonce, 'utf8')
  invariant(boot.length < 256 && nonce.length < 256, 'term: boot or nonce of more than 255 bytes')
  return Buffer.concat([[owner.slot, boot.length], boot, [nonce.length], nonce].map(asBytes))
}

function asBytes(part: Uint8Array | number[]): Uint8Array {
  return part instanceof Uint8Array ? part : Uint8Array.from(part)
}

/** Throws RangeError where the bytes are not one whole owner. */
export function decodeTerm(body: Uint8Array): Owner {
  const view = Buffer.from(body.buffer, body.byteOffset, body.length)
  const bootEnd = 2 + view.readUInt8(1)
  const nonceEnd = bootEnd + 1 + view.readUInt8(bootEnd)
  if (nonceEnd !== view.length) throw new RangeError('term: not one whole owner')
  return {
    slot: view.readUInt8(0),
    boot: view.toString('utf8', 2, bootEnd),
    nonce: view.toString('utf8', bootEnd + 1, nonceEnd),
  }
}
