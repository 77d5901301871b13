// Executes orders, exactly the next one after the last applied, on the committed log plus the
// overlay; the replicas vote on the hash of the result. An order that is committed is never
// executed.

import { entriesOf, packDrafts, type Batch, type Contents } from '../entries/batch.js'
import type { Entry } from '../entries/entry.js'
import { sameBytes, sha256 } from '../bytes.js'
import type { AccountSecrets } from '../envelope/secrets.js'
import type { Account } from './account.js'
import { decide } from './commands/registry.js'
import type { KeyNames } from './decision.js'
import type { RecipientKey, Seal } from '../envelope/seal.js'
import { Ledger } from './ledger.js'
import type { Order } from './order.js'
import { Overlay } from './overlay.js'

export interface Executed {
  readonly k: number
  readonly attempt: number
  readonly hash: Uint8Array
  readonly contents: Contents
  /** Of the order, ms since 1970. */
  readonly time: number
  /** The highest time of the orders before it. */
  readonly latest: number
}

/** Orders held until the feed has reached their base; a coordinator has fewer in flight. */
const MAX_HELD = 64

/** What replicas vote on: the head names the bodies by their hashes. */
export function voteHash(
  { term, k, attempt, seed }: Pick<Order, 'term' | 'k' | 'attempt' | 'seed'>,
  { head }: Pick<Contents, 'head'>,
): Uint8Array {
  const place = Buffer.allocUnsafe(24)
  for (const [i, value] of [term, k, attempt].entries()) {
    place.writeUInt32BE(Math.floor(value / 2 ** 32), i * 8)
    place.writeUInt32BE(value % 2 ** 32, i * 8 + 4)
  }
  return sha256(place, seed, head)
}

export class Executor {
  base = new Ledger()
  /** The committed log is known to hold the place of `base`; until then nothing is executed. */
  placed = true
  #overlay = new Overlay(this.base)
  /** Term of the orders in the overlay. */
  #term = 0
  #lastK = 0
  /** Highest time of the orders in the overlay. */
  #latest = 0
  readonly #seal: Seal
  readonly #readKey: (publicKey: Uint8Array) => RecipientKey
  #keys = new WeakMap<Account, RecipientKey>()
  #names = new WeakMap<Account, KeyNames>()
  readonly #held = new Map<number, Order>()
  /** Results of orders that are not committed yet, by k. */
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

  /** Entries of the log that are known to be applied. */
  get applied(): number {
    return this.placed ? this.base.index : 0
  }

  /** Values that orders ahead of the log have written. */
  get ahead(): number {
    return this.#overlay.size
  }

  /** Orders that wait for the log, or are executed and not committed. */
  get heldOrders(): number {
    return this.#held.size + this.#executed.size
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
    if (order.k <= this.base.committedOrder(order.term) || this.#held.size >= MAX_HELD) return
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
    while (this.placed) {
      const next = Math.max(this.#lastK, this.base.committedOrder(this.#term)) + 1
      const order = this.#held.get(next)
      if (!order || this.base.fence.term !== this.#term) return done
      if (this.base.index < order.base) return done
      this.#held.delete(next)
      done.push(this.#execute(order))
    }
    return done
  }

  #execute(order: Order): Executed {
    const { term, k, attempt, time, keySeed, diverged } = order
    const keyOf = (account: Account): RecipientKey => this.keyOf(account)
    const namesOf = (account: Account): KeyNames => this.namesOf(account)
    const readable = (secrets: AccountSecrets): boolean => this.#readable(secrets)
    const context = { term, k, time, keySeed, diverged, seal: this.#seal, keyOf, namesOf, readable }
    const drafts = order.commands.map((command, place) => {
      const draft = decide(this.#overlay, command, context, place)
      this.#overlay.apply(draft, k, time)
      return draft
    })
    const contents = packDrafts(drafts)
    const latest = Math.max(this.#latest, this.base.time)
    const executed = { k, attempt, hash: voteHash(order, contents), contents, time, latest }
    this.#lastK = k
    this.#latest = Math.max(latest, time)
    this.#executed.set(k, executed)
    return executed
  }

  /** Applies a batch of the committed log. `each` is told of every entry when it is applied. */
  apply(batch: Batch, each: (entry: Entry) => void = () => {}): void {
    const { term, k } = batch
    if (term > this.#term) this.enterTerm(term)
    const settles = term === this.#term && term > 0
    for (const entry of entriesOf(batch)) {
      this.base.apply(entry)
      if (settles) this.#overlay.settle(entry.meta)
      each(entry)
    }
    this.base.applied(batch)
    if (!settles) return
    this.#overlay.settled(k)
    this.#held.delete(k)
    this.#executed.delete(k)
  }

  /** The own result of the order that a batch of the log comes from; undefined: none. */
  #ownResult({ term, k }: Pick<Batch, 'term' | 'k'>): Executed | undefined {
    return term === this.#term ? this.#executed.get(k) : undefined
  }

  /** Whether the log has another result for an order than the one that this replica came to. */
  differs(batch: Batch): boolean {
    const own = this.#ownResult(batch)
    return own !== undefined && !sameBytes(own.contents.head, batch.head)
  }

  /** The batch with the head of the own result in place of equal bytes: that one is decoded. */
  withOwnHead(batch: Batch): Batch {
    const own = this.#ownResult(batch)
    if (!own || !sameBytes(own.contents.head, batch.head)) return batch
    return { ...batch, head: own.contents.head }
  }

  /** Forgets executed orders that are not committed. */
  dropOverlay(): void {
    this.#overlay = new Overlay(this.base)
    this.#executed.clear()
    this.#lastK = 0
    this.#latest = 0
  }

  /** Begins with a state that was saved. */
  load(ledger: Ledger): void {
    this.base = ledger
    this.dropOverlay()
  }

  /** Forgets everything: the state is rebuilt from the log. */
  reset(): void {
    this.base = new Ledger(this.base.marks)
    this.placed = true
    this.#keys = new WeakMap()
    this.#names = new WeakMap()
    this.dropOverlay()
  }
}
