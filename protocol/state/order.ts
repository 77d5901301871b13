// An order in the form that execution takes; the coordinator's message ORDER carries one.

import type { Command } from './commands/registry.js'

export interface Order {
  readonly term: number
  /** Gapless within the term, from 1 (C7). */
  readonly k: number
  /** From 1; each attempt has its own seeds. */
  readonly attempt: number
  /** The order is executed on the committed log through this index at least. */
  readonly base: number
  /** Milliseconds since 1970. */
  readonly time: number
  /** 32 bytes, fresh for every order and attempt. */
  readonly seed: Uint8Array
  /** 32 bytes, secret, of the key epoch. */
  readonly keySeed: Uint8Array
  /** The last attempt of an order without a majority: every command is refused. */
  readonly diverged: boolean
  readonly commands: readonly Command[]
}
