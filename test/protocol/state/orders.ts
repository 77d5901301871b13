// Commands and execution contexts for tests of the order.

import {
  finishHeader,
  headerStart,
  type EnvelopeHeader,
} from '../../../protocol/envelope/header.js'
import { KEEP_ALL, type RetentionRule } from '../../../protocol/entries/retention.js'
import { field, joinParts } from '../../../protocol/envelope/parts.js'
import type { AccountKey } from '../../../protocol/envelope/secrets.js'
import { concat } from '../../../protocol/rsa/octets.js'
import { readKey, seal } from '../../simulator/compute.js'
import type { Command } from '../../../protocol/state/commands/registry.js'
import type { ExecutionContext } from '../../../protocol/state/decision.js'
import { Executor } from '../../../protocol/state/executor.js'
import { streamIdAt } from '../../../protocol/state/stream-id.js'

/** The stream that the first command of order `k` opens. */
export const streamAt = (k: number): Uint8Array => streamIdAt({ term: 1, k }, 0)

/** The stream of a course whose third order opens one. */
export const STREAM = streamAt(3)
const origin = { slot: 1, boot: 'boot', id: 1 }

export function register(name: string, token = 1): Command {
  const secrets = {
    salt: new Uint8Array(16),
    cost: { logN: 1, r: 1, p: 1 },
    verifierHash: new Uint8Array(32),
    publicKey: Buffer.from(`key of ${name}`),
    wrappedKey: Buffer.from('wrapped'),
    signing: null,
    older: [],
  }
  return {
    ...{ kind: 'register', origin, name, token: new Uint8Array(16).fill(token) },
    ...{ invitation: null, byInvitation: false, ...secrets },
  }
}

export function retain(user: string, wish: RetentionRule): Command {
  return { kind: 'retain', origin, user, ...wish }
}

export function expire(
  user: string,
  what: { readonly through: number; readonly read: number; readonly at: number },
  wish = KEEP_ALL,
): Command {
  return { kind: 'expire', origin, user, ...what, ...wish }
}

/** `key` names the new key; the old one becomes the older key. */
export function change(user: string, version: number, token: number, key = user): Command {
  const own = {
    publicKey: Buffer.from(`key of ${key}`),
    wrappedKey: Buffer.from('wrapped anew'),
    signing: null,
  }
  const old = {
    publicKey: Buffer.from(`key of ${user}`),
    wrappedKey: Buffer.from('wrapped anew'),
    signing: null,
  }
  return {
    kind: 'change-account',
    origin,
    user,
    version,
    token: new Uint8Array(16).fill(token),
    salt: new Uint8Array(16),
    cost: { logN: 1, r: 1, p: 1 },
    verifierHash: new Uint8Array(32).fill(token),
    ...own,
    older: key === user ? [] : [old],
  }
}

export function registerBy(code: number, name: string, byInvitation = true, token = code): Command {
  return { ...register(name, token), invitation: codeHash(code), byInvitation } as Command
}

/** A registration by invitation without a code. */
export function registerUninvited(name: string, token = 1): Command {
  return { ...register(name, token), byInvitation: true } as Command
}

/** Stands for the SHA-256 of a code. */
export const codeHash = (code: number): Uint8Array => new Uint8Array(32).fill(code)

export function invite(user: string, code: number, lasts = 1_000, most = 2): Command {
  return { kind: 'invite', origin, user, invitation: codeHash(code), lasts, most }
}

export function block(user: string, name: string, blocked = true): Command {
  return { kind: 'block', origin, user, name, blocked }
}

export function close(user: string, version: number, token = 1): Command {
  const bytes = new Uint8Array(16).fill(token)
  return { kind: 'delete-account', origin, user, version, token: bytes }
}

export function remove(user: string, indices: readonly number[]): Command {
  return { kind: 'delete', origin, user, indices }
}

/** Client-held keys of `who`: `pair` names both keys. */
function heldKey(
  who: string,
  pair: string,
): Pick<AccountKey, 'publicKey' | 'wrappedKey' | 'signing'> {
  const [publicKey, signer] = [`key of ${pair}`, `signer of ${pair}`].map((text) =>
    Buffer.from(text),
  )
  const signing = {
    publicKey: signer!,
    ownSignature: Buffer.from(`signed by ${who}`),
    previousSignature: new Uint8Array(0),
  }
  return { publicKey: publicKey!, wrappedKey: new Uint8Array(0), signing }
}

/** Like `register`, with a client-held account. */
export function registerHeld(name: string, token = 1): Command {
  return { ...register(name, token), ...heldKey(name, name) } as Command
}

/** Like `change`, for a client-held account: a new pair, with the first one as the older. */
export function changeHeld(user: string, version: number, token: number, pair: string): Command {
  const older = [heldKey(user, user)]
  return { ...change(user, version, token), ...heldKey(user, pair), older } as Command
}

/** A signed envelope for this place; `header` overrides fields of its header. */
export function sendSealed(
  seq: number,
  header: Partial<EnvelopeHeader> = {},
  to = 'bob',
  user = 'alice',
  stream = STREAM,
): Command {
  const named = { kid: `key of ${to}`, signer: `signer of ${user}`, sender: user, recipient: to }
  const full = { ...named, stream, seq, time: 999, ...header }
  const start = headerStart(full.kid, full.sender, full.recipient, 'jwe', full.signer)
  const envelope = joinParts({
    header: Buffer.from(finishHeader(start, full.stream, full.seq, full.time)),
    encryptedKey: Buffer.from('content key'),
    nonce: new Uint8Array(12),
    ciphertext: Buffer.from('text'),
    tag: new Uint8Array(16),
  })
  const sealed = concat(envelope, field(Buffer.from('signature')))
  return { kind: 'send-sealed', origin, user, stream, seq, to, sealed }
}

export function open(user: string, token = 1, most = 100): Command {
  const bytes = new Uint8Array(16).fill(token)
  return { kind: 'open-stream', origin, user, token: bytes, most }
}

export function closeStream(user: string, stream = STREAM): Command {
  return { kind: 'close-stream', origin, user, stream }
}

export function endIdle(idleSince: number, ...streams: Uint8Array[]): Command {
  return { kind: 'end-idle-streams', origin, streams, idleSince }
}

export function send(
  seq: number,
  text: string,
  to = 'bob',
  user = 'alice',
  stream = STREAM,
): Command {
  return { kind: 'send', origin, user, stream, seq, to, text }
}

export function context(change: Partial<ExecutionContext> = {}): ExecutionContext {
  const keySeed = new Uint8Array(32).fill(5)
  const executor = new Executor(seal, readKey)
  const keyOf: ExecutionContext['keyOf'] = (account) => executor.keyOf(account)
  const namesOf: ExecutionContext['namesOf'] = (account) => executor.namesOf(account)
  const readable: ExecutionContext['readable'] = ({ publicKey }) => publicKey.length > 0
  const keys = { seal, keyOf, namesOf, readable }
  return { term: 1, k: 1, time: 1_000, keySeed, diverged: false, ...keys, ...change }
}
