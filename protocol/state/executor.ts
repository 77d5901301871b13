// Executes orders, exactly the next one after the last applied whole, on the committed log plus the
// overlay; the replicas vote on the hash of the result. An order that is committed is never
// executed.

import { decodeMeta, type Draft, type Entry, type Meta } from '../entries/entry.js'
import { sha256 } from '../bytes.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import type { Account } from './account.js'
import { decide } from './commands/registry.js'
import type { Decision, KeyNames } from './decision.js'
import type { RecipientKey, Seal } from '../envelope/seal.js'
import { Ledger, Overlay } from './ledger.js'
import type { Order } from './order.js'

export interface Executed {
  readonly k: number
  readonly attempt: number
  readonly hash: Uint8Array
  readonly drafts: readonly Draft[]
}

/** Orders held until the feed has reached their base; a coordinator has fewer in flight. */
const MAX_HELD = 64
/** Hashes kept for a COMMITTED that comes after the entries themselves. */
const KEPT_HASHES = 256

function hashOf(order: Order, decisions: readonly Decision[]): Uint8Array {
  const head = Buffer.allocUnsafe(24)
  for (const [i, value] of [order.term, order.k, order.attempt].entries()) {
    head.writeUInt32BE(Math.floor(value / 2 ** 32), i * 8)
    head.writeUInt32BE(value % 2 ** 32, i * 8 + 4)
  }
  const parts: Uint8Array[] = [head, order.seed]
  for (const { draft } of decisions) {
    const lengths = Buffer.allocUnsafe(8)
    lengths.writeUInt32BE(draft.meta.length, 0)
    lengths.writeUInt32BE(draft.body.length, 4)
    parts.push(lengths, draft.meta, draft.body)
  }
  return sha256(...parts)
}

export class Executor {
  base = new Ledger()
  #overlay = new Overlay(this.base)
  /** Term of the orders in the overlay. */
  #term = 0
  #lastK = 0
  readonly #seal: Seal
  readonly #readKey: (publicKey: Uint8Array) => RecipientKey
  #keys = new WeakMap<Account, RecipientKey>()
  #names = new WeakMap<Account, KeyNames>()
  readonly #held = new Map<number, Order>()
  readonly #executed = new Map<number, Executed>()

  constructor(seal: Seal, readKey: (publicKey: Uint8Array) => RecipientKey) {
    this.#seal = seal
    this.#readKey = readKey
  }

  keyOf(account: Account): RecipientKey {
    const known = this.#keys.get(account)
    if (known) return known
    const key = this.#readKey(account.secrets.publicKey)
    this.#keys.set(account, key)
    return key
  }

  /** All keys of the account, newest first. */
  keysOf(account: Account): RecipientKey[] {
    const older = account.secrets.older.map(({ publicKey }) => this.#readKey(publicKey))
    return [this.keyOf(account), ...older]
  }

  /** Key thumbprints of the account. */
  namesOf(account: Account): KeyNames {
    const known = this.#names.get(account)
    if (known) return known
    const { secrets } = account
    const signing = [secrets, ...secrets.older].flatMap(({ signing }) => signing ?? [])
    const names = {
      sealing: new Set(this.keysOf(account).map(({ kid }) => kid)),
      signing: new Set(signing.map(({ publicKey }) => this.#readKey(publicKey).kid)),
    }
    this.#names.set(account, names)
    return names
  }

  #readable(secrets: AccountSecrets): boolean {
    try {
      for (const { publicKey, signing } of [secrets, ...secrets.older]) {
        this.#readKey(publicKey)
        if (signing) this.#readKey(signing.publicKey)
      }
      return true
    } catch {
      return false
    }
  }

  /** Term of the orders that it executes. */
  get term(): number {
    return this.#term
  }

  executed(k: number): Executed | undefined {
    return this.#executed.get(k)
  }

  /** Holds an order; `run` executes it once the log is applied far enough. */
  hold(order: Order): void {
    if (order.term < this.#term) return
    if (order.term > this.#term) this.enterTerm(order.term)
    const known = this.#executed.get(order.k) ?? this.#held.get(order.k)
    if (known && known.attempt >= order.attempt) return
    if (order.k <= this.base.progress(order.term).k || this.#held.size >= MAX_HELD) return
    this.#held.set(order.k, order)
  }

  /** From here on, only orders of this term or of a later one are executed. */
  enterTerm(term: number): void {
    this.#term = term
    this.#held.clear()
    this.dropOverlay()
  }

  /** Executes orders while the next one is there and the log is applied far enough. */
  run(): Executed[] {
    const done: Executed[] = []
    for (;;) {
      const { k: committed, half } = this.base.progress(this.#term)
      const next = Math.max(this.#lastK, committed) + 1
      const order = this.#held.get(next)
      if (!order || half || this.base.fence.term !== this.#term) return done
      if (this.base.index < order.base) return done
      this.#held.delete(next)
      done.push(this.#execute(order))
    }
  }

  #execute(order: Order): Executed {
    const { term, k, attempt, time, keySeed, diverged } = order
    const keyOf = (account: Account): RecipientKey => this.keyOf(account)
    const namesOf = (account: Account): KeyNames => this.namesOf(account)
    const readable = (secrets: AccountSecrets): boolean => this.#readable(secrets)
    const context = { term, k, time, keySeed, diverged, seal: this.#seal, keyOf, namesOf, readable }
    const decisions = order.commands.map((command, place) => {
      const decision = decide(this.#overlay, command, context, place)
      this.#overlay.apply(decision.draft, decision.meta, k)
      return decision
    })
    const drafts = decisions.map(({ draft }) => draft)
    const executed = { k, attempt, hash: hashOf(order, decisions), drafts }
    this.#lastK = k
    this.#executed.set(k, executed)
    this.#executed.delete(k - KEPT_HASHES)
    return executed
  }

  /**
   * Applies one entry of the committed log, whose body has `bodyBytes` there. Returns its decoded
   * meta.
   */
  apply(entry: Entry, bodyBytes = entry.body.length): Meta {
    const meta = decodeMeta(entry.meta)
    this.base.apply(entry, meta, bodyBytes)
    if (entry.term > this.#term) this.enterTerm(entry.term)
    if (entry.term === this.#term && entry.term > 0) {
      this.#overlay.settle(meta, entry.k)
      if (entry.part === entry.parts) {
        this.#overlay.settleDirectory(entry.k)
        this.#committed(entry.k)
      }
    }
    return meta
  }

  /** After the commit only the hash is needed, for a COMMITTED that comes late. */
  #committed(k: number): void {
    this.#held.delete(k)
    const executed = this.#executed.get(k)
    if (executed) this.#executed.set(k, { ...executed, drafts: [] })
  }

  /** Forgets executed orders that are not committed. */
  dropOverlay(): void {
    this.#overlay = new Overlay(this.base)
    this.#executed.clear()
    this.#lastK = 0
  }

  /** Forgets everything: the state is rebuilt from the log. */
  reset(): void {
    this.base = new Ledger(this.base.marks)
    this.#keys = new WeakMap()
    this.#names = new WeakMap()
    this.dropOverlay()
  }
}
