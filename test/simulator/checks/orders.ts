// The inputs of execution, and its result. The time of orders never goes back, whatever the wall
// clocks do. No seed serves two orders, and no key seed two attempts, or a nonce would repeat.
// Replicas that never computed wrong bytes come to the same hash for an order.

import type { Batch } from '../../../protocol/entries/batch.js'
import { KIND } from '../../../protocol/entries/entry.js'
import { sameBytes } from '../../../protocol/bytes.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import type { Slot } from '../../../protocol/slots.js'
import { LEAD_MS } from '../../../protocol/processing/wall-clocks.js'
import { voteHash } from '../../../protocol/state/executor.js'
import type { LogFields } from '../coverage/reach.js'
import type { History, Node } from '../history.js'
import type { Host } from '../host.js'
import { expect } from '../violation.js'
import type { Check } from './check.js'

const keyOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')

/** The votes of a replica since it last began its state. */
interface Voter {
  readonly votes: Map<string, Uint8Array>
  /** The newest order that it has voted on. */
  newest: { readonly term: number; readonly k: number }
  /** The newest order that it had voted on when it was told that a vote of its own differed. */
  told: { readonly term: number; readonly k: number } | null
}

/**
 * The orders that may be under way when a replica is told that its vote differed, with a margin.
 */
const UNDER_WAY = 4

export class OrderCheck implements Check {
  /** Highest time of committed orders; marks have none. */
  #time = 0
  /** The order, as term/k/attempt, that each seed belongs to. */
  readonly #seeds = new Map<string, string>()
  /** The attempt that each key seed of an order served. */
  readonly #keySeeds = new Map<string, number>()

  /** The order of each command, as term/k. */
  readonly #places = new Map<string, string>()
  /** The hash that was said of each order, by term/k, while no replica had computed wrong bytes. */
  readonly #hashes = new Map<string, Uint8Array>()
  readonly #wrong: ReadonlySet<Slot>
  #trusted = true
  readonly #voters = new Map<Host, Voter>()
  /** The persistence replica that each processing replica follows. */
  readonly #homes = new Map<Host, Slot>()
  /** The attempts of each order, by term/k. */
  readonly #given = new Map<string, The<'ORDER'>[]>()

  /** `wrong`: slots that compute wrong bytes at this moment. */
  constructor(history: History, wrong: ReadonlySet<Slot>) {
    this.#wrong = wrong
    history.onCommit((node) => this.#committed(node))
  }

  #committed({ entry, meta }: Node): void {
    const { term, k, time, index } = entry!
    if (term === 0) return
    expect(time >= this.#time, 'time', () => {
      return `entry ${index}, order ${term}/${k}, is of ${time}, after one of ${this.#time}`
    })
    // A TERM has the time of the log before it: no clock of a claimant.
    expect(meta!.kind !== KIND.term || time === this.#time, 'time', () => {
      return `entry ${index}, TERM ${term}, is of ${time}, not of the log's ${this.#time}`
    })
    this.#time = time
  }

  started(host: Host): void {
    this.#voters.set(host, { votes: new Map(), newest: { term: 0, k: 0 }, told: null })
  }

  logged(host: Host, event: string, { slot }: LogFields): void {
    if (event === 'home') this.#homes.set(host, Number(slot))
  }

  /** Only the feed of the home counts. */
  delivered(from: Host, to: Host, message: Message): void {
    if (message.type !== 'BATCHES' || this.#homes.get(to) !== from.slot) return
    for (const batch of message.batches) if (batch.k > 0) this.#told(to, batch)
  }

  /** A replica that voted otherwise than the majority rebuilds its state from the log. */
  #told(host: Host, { term, k, head }: Batch): void {
    const voter = this.#voters.get(host)!
    const order = `${term}/${k}`
    const own = voter.votes.get(order)
    const known = host.machine?.metrics()['troca_term'] ?? 0
    const given = this.#given.get(order) ?? []
    const agrees = given.some((attempt) => own && sameBytes(own, voteHash(attempt, { head })))
    if (!own || agrees || known > term) return
    const { told, newest } = voter
    if (told?.term !== term) voter.told = newest.term === term ? newest : { term, k }
    expect(told?.term !== term || k <= told.k + UNDER_WAY, 'vote', () => {
      return `${host.name} votes otherwise in ${term}/${k}, and still runs on the state of ${told!.k}`
    })
  }

  sent(from: Host, _to: Host, message: Message): void {
    if (this.#wrong.size > 0) this.#trusted = false
    if (message.type === 'FEED' && message.step === 'begin') this.started(from)
    if (message.type === 'VOTE') {
      const { term, k, hash } = message
      const voter = this.#voters.get(from)!
      voter.votes.set(`${term}/${k}`, hash)
      if (term > voter.newest.term || k > voter.newest.k) voter.newest = { term, k }
      this.#inTime(from, message)
    }
    if (message.type === 'ORDER') {
      this.#order(from, message)
      this.#once(from, message)
    }
    if (message.type === 'VOTE' && this.#trusted) this.#agrees(from, message)
  }

  /**
   * A replica votes for a time that its own clock has nearly reached, or that an order before has
   * had: one that is committed, or one of the few of its term that are under way.
   */
  #inTime(from: Host, { term, k, attempt }: The<'VOTE'>): void {
    const order = this.#given.get(`${term}/${k}`)?.find((given) => given.attempt === attempt)
    if (!order) return
    const before = Array.from({ length: UNDER_WAY }, (_, i) => `${term}/${k - 1 - i}`)
    const given = before.flatMap((name) => this.#given.get(name) ?? [])
    const latest = Math.max(this.#time, ...given.map(({ time }) => time))
    expect(order.time <= Math.max(latest, from.wall + LEAD_MS), 'time', () => {
      return `${from.name} at ${from.wall} votes for ${term}/${k} of ${order.time}, after ${latest}`
    })
  }

  #agrees(from: Host, { type, term, k, hash }: The<'VOTE'>): void {
    const key = `${term}/${k}`
    const known = this.#hashes.get(key) ?? hash
    this.#hashes.set(key, known)
    expect(sameBytes(known, hash), 'vote', () => {
      return `${from.name} says ${type} of ${key} with another hash than was said before`
    })
  }

  #order(from: Host, message: The<'ORDER'>): void {
    const { term, k, attempt, seed, keySeed } = message
    const given = this.#given.get(`${term}/${k}`) ?? []
    if (!given.some((known) => known.attempt === attempt)) given.push(message)
    this.#given.set(`${term}/${k}`, given)
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

  /** C3: a command has one place in a term; a second submission is refused and its client told. */
  #once(from: Host, { term, k, commands }: The<'ORDER'>): void {
    for (const { origin } of commands) {
      const key = `${term} ${origin.slot} ${origin.boot} ${origin.id}`
      const place = this.#places.get(key) ?? `${term}/${k}`
      expect(place === `${term}/${k}`, 'C3', () => {
        return `${from.name} gives p${origin.slot}'s command ${origin.id} places ${place} and ${term}/${k}`
      })
      this.#places.set(key, place)
    }
  }
}
