// Commands, and what execution needs beside them, for tests of the order.

import { readKey, seal } from '../../simulator/compute.js'
import type { Command, Context } from '../../../protocol/order/decide.js'

export const STREAM = new Uint8Array(16).fill(1)
const origin = { slot: 1, boot: 'boot', id: 1 }

export function register(name: string, token = 1): Command {
  const secrets = {
    salt: new Uint8Array(16),
    cost: { logN: 1, r: 1, p: 1 },
    verifierHash: new Uint8Array(32),
    publicKey: Buffer.from(`key of ${name}`),
    wrappedKey: Buffer.from('wrapped'),
    older: [],
  }
  return { kind: 'register', origin, name, token: new Uint8Array(16).fill(token), ...secrets }
}

/** `key` names the new key; the old one stays behind it. */
export function change(user: string, version: number, token: number, key = user): Command {
  const own = { publicKey: Buffer.from(`key of ${key}`), wrappedKey: Buffer.from('wrapped anew') }
  const old = { publicKey: Buffer.from(`key of ${user}`), wrappedKey: Buffer.from('wrapped anew') }
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

export function remove(user: string, indices: readonly number[]): Command {
  return { kind: 'delete', origin, user, indices }
}

export function open(user: string, stream = STREAM): Command {
  return { kind: 'open-stream', origin, user, stream }
}

export function send(seq: number, text: string, to = 'bob', user = 'alice'): Command {
  return { kind: 'send', origin, user, stream: STREAM, seq, to, text }
}

export function context(change: Partial<Context> = {}): Context {
  const keySeed = new Uint8Array(32).fill(5)
  const keyOf: Context['keyOf'] = (account) => readKey(account.secrets.publicKey)
  return { term: 1, k: 1, time: 1_000, keySeed, diverged: false, seal, keyOf, ...change }
}
