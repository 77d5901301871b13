// What execution's only clock and randomness must be: the time of orders never goes back, whatever the
// wall clocks do; no seed serves twice, and no key seed a second attempt, where a nonce would repeat.
// And what it is for: replicas of which none ever computed wrong bytes come to the same for an order.

import { KIND, sameBytes } from '../../../protocol/log/entry.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Slot } from '../../../protocol/machine.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

export class OrderCheck implements Check {
  /** Highest time of committed entries, cursor stamps apart. */
  #time = 0
  /** Which order, as term/k/attempt, a seed is of. */
  readonly #seeds = new Map<string, string>()
  /** Which attempt of an order a key seed served. */
  readonly #keySeeds = new Map<string, number>()

  /** By term/k, while nobody was wrong. */
  readonly #hashes = new Map<string, Uint8Array>()
  readonly #wrong: ReadonlySet<Slot>
  #trusted = true

  /** `wrong`: who computes wrong bytes just now. */
  constructor(history: History, wrong: ReadonlySet<Slot>) {
    this.#wrong = wrong
    history.onCommit((node) => this.#committed(node))
  }

  #committed({ entry, meta }: Node): void {
    const { term, k, time, index } = entry!
    if (term === 0) return
    // A TERM carries its claimant's clock.
    expect(meta!.kind === KIND.term || time >= this.#time, 'time', () => {
      return `entry ${index}, order ${term}/${k}, is of ${time}, after one of ${this.#time}`
    })
    this.#time = Math.max(this.#time, time)
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (this.#wrong.size > 0) this.#trusted = false
    if (message.type === 'ORDER') this.#order(from, message)
    const votes = message.type === 'VOTE' || message.type === 'COMMITTED'
    if (votes && this.#trusted) this.#agrees(from, message)
  }

  #agrees(from: Host, { type, term, k, hash }: The<'VOTE' | 'COMMITTED'>): void {
    const key = `${term}/${k}`
    const known = this.#hashes.get(key) ?? hash
    this.#hashes.set(key, known)
    expect(sameBytes(known, hash), 'vote', () => {
      return `${from.name} says ${type} of ${key} with another hash than was said before`
    })
  }

  #order(from: Host, { term, k, attempt, seed, keySeed }: The<'ORDER'>): void {
    const order = `${term}/${k}/${attempt}`
    const of = this.#seeds.get(keyOf(seed)) ?? order
    expect(of === order, 'seed', () => `${from.name} gives ${order} the seed of ${of}`)
    this.#seeds.set(keyOf(seed), order)
    const key = `${term}/${k}/${keyOf(keySeed)}`
    const served = this.#keySeeds.get(key) ?? attempt
    expect(served === attempt, 'seed', () => {
      return `${from.name} gives ${order} the key seed of attempt ${served}`
    })
    this.#keySeeds.set(key, attempt)
  }
}
