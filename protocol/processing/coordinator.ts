// The coordinator of one term: gives each order, counts its votes, appends the result of the
// majority of the live ring in the sequence of k without gaps (C7).

import { Durations } from '../durations.js'
import type { Slot } from '../slots.js'
import type { The } from '../messages/catalogue.js'
import { sameBytes } from '../bytes.js'
import { weighCommand, weighInOrder, type Command } from '../state/commands/registry.js'
import type { Executed, Executor } from '../state/executor.js'
import type { LogWrites } from './log-writes.js'
import type { PendingRequests } from './pending-requests.js'
import type { ProcessingContext } from './context.js'

/** Orders between ORDER and APPENDED. Commands that arrive meanwhile enlarge the next order. */
const ORDERS_IN_FLIGHT = 2
/** An order beside another one has so many commands at least: fewer wait, and cost less together. */
const LEAST_BESIDE = 64
const ORDER_COMMANDS = 256
/** Bounds texts and keys of an order: with what envelopes add, its entries must fit one frame. */
const ORDER_BYTES = 160 * 1024
/** On the last attempt, all replicas refuse every command of the order. */
const LAST_ATTEMPT = 3

interface InFlight {
  order: The<'ORDER'>
  /** Replicas whose votes are awaited; the set only shrinks. */
  voters: Set<Slot>
  /** Replicas whose votes count: those live when the order was given. */
  readonly counted: Set<Slot>
  votes: Map<Slot, Uint8Array>
  decided: boolean
  since: number
}

export class Coordinator {
  readonly #context: ProcessingContext
  readonly #writes: LogWrites
  readonly #executor: Executor
  readonly #requests: PendingRequests
  readonly #resign: (reason: string) => void
  /** Rebuilds the state from the log. */
  readonly #rebuild: () => void
  readonly #queue: Command[] = []
  #queuedBytes = 0
  readonly #orders = new Map<number, InFlight>()
  #nextK = 1
  #nextAppend = 1
  #time = 0
  #keySeed = new Uint8Array(32)
  #keySeedLeft = 0
  #keySeedUntil = 0
  /** Replicas that did not vote in time: each stays outside L until its next vote. */
  readonly #lagging = new Set<Slot>()
  /** Time from giving an order to its commit. */
  readonly commitTimes = new Durations()
  readonly metrics = { orders: 0, commands: 0, oneOfOne: 0, divergences: 0 }

  /** `resign` gives up this replica's term. */
  constructor(
    context: ProcessingContext,
    writes: LogWrites,
    executor: Executor,
    requests: PendingRequests,
    resign: (reason: string) => void,
    rebuild: () => void,
  ) {
    this.#context = context
    this.#writes = writes
    this.#executor = executor
    this.#requests = requests
    this.#resign = resign
    this.#rebuild = rebuild
  }

  get queued(): number {
    return this.#queue.length
  }

  get queuedBytes(): number {
    return this.#queuedBytes
  }

  get inFlight(): number {
    return this.#orders.size
  }

  /** The own TERM is applied: the first order of the term has k = 1. */
  begin(): void {
    this.#nextK = 1
    this.#nextAppend = 1
    this.#orders.clear()
    this.#lagging.clear()
    this.#keySeedLeft = 0
    this.#time = this.#executor.base.time
  }

  /** Gives up all orders, and returns the commands that have no order yet. */
  end(): Command[] {
    this.#orders.clear()
    this.#queuedBytes = 0
    return this.#queue.splice(0)
  }

  /** False: there is no room, and the command is not queued. */
  submit(command: Command): boolean {
    const bytes = weighCommand(command)
    const { queuedCommands, queuedBytes } = this.#context.limits
    if (this.#queue.length >= queuedCommands || this.#queuedBytes + bytes > queuedBytes)
      return false
    this.#queue.push(command)
    this.#queuedBytes += bytes
    return true
  }

  /** Gives orders of the queued commands while fewer than ORDERS_IN_FLIGHT are in flight. */
  issue(): void {
    while (this.#queue.length >= this.#leastCommands && this.#orders.size < ORDERS_IN_FLIGHT) {
      const commands = this.#takeCommands()
      const k = this.#nextK++
      this.metrics.orders++
      this.metrics.commands += commands.length
      this.#give(k, 1, commands)
    }
  }

  get #leastCommands(): number {
    return this.#orders.size === 0 ? 1 : LEAST_BESIDE
  }

  /** All commands of an order share one key epoch, so the epoch's limit bounds their number too. */
  #takeCommands(): Command[] {
    const most = Math.min(ORDER_COMMANDS, this.#context.limits.keyEpochCommands)
    const pairs = new Set<string>()
    let count = 0
    let bytes = 0
    for (const command of this.#queue) {
      bytes += weighInOrder(command, pairs)
      if (count > 0 && (count >= most || bytes > ORDER_BYTES)) break
      count++
    }
    const commands = this.#queue.splice(0, count)
    for (const command of commands) this.#queuedBytes -= weighCommand(command)
    return commands
  }

  #give(k: number, attempt: number, commands: readonly Command[]): void {
    const { now, clocks, entropy, holds: term } = this.#context
    this.#time = clocks.timeAfter(Math.max(this.#time, this.#executor.base.time))
    const live = this.#context.live.filter((slot) => !this.#lagging.has(slot))
    const order: The<'ORDER'> = {
      type: 'ORDER',
      term,
      k,
      attempt,
      base: this.#executor.base.termIndex,
      time: this.#time,
      seed: entropy(32),
      keySeed: this.#keySeedFor(commands.length, attempt),
      diverged: attempt === LAST_ATTEMPT,
      commands,
    }
    const inFlight: InFlight = {
      order,
      voters: new Set(live),
      counted: new Set(live),
      votes: new Map(),
      decided: false,
      since: now.monotonic,
    }
    this.#orders.set(k, inFlight)
    this.#context.broadcast(order)
    this.#executor.hold(order)
    // Followers execute while this replica does.
    this.#context.outbox.again()
  }

  /**
   * A key seed serves one bounded key epoch. A new attempt needs a new seed: with the old one a
   * nonce would be used twice.
   */
  #keySeedFor(commands: number, attempt: number): Uint8Array {
    const { now, limits, entropy } = this.#context
    if (attempt > 1 || this.#keySeedLeft < commands || now.monotonic >= this.#keySeedUntil) {
      this.#keySeed = new Uint8Array(entropy(32))
      this.#keySeedLeft = limits.keyEpochCommands
      this.#keySeedUntil = now.monotonic + limits.keyEpochMs
    }
    this.#keySeedLeft -= commands
    return this.#keySeed
  }

  // ---- votes ----------------------------------------------------------------------------------

  onVote(slot: Slot, message: The<'VOTE'>): void {
    if (message.term !== this.#context.holds) return
    this.#lagging.delete(slot)
    const inFlight = this.#orders.get(message.k)
    if (!inFlight || inFlight.order.attempt !== message.attempt) return
    inFlight.votes.set(slot, message.hash)
    this.#evaluate(message.k, inFlight)
  }

  /** Executes every order that can be executed, and counts this replica's own votes. */
  run(): void {
    for (const executed of this.#executor.run()) this.#vote(executed)
  }

  #vote({ k, attempt, hash }: Executed): void {
    const inFlight = this.#orders.get(k)
    if (!inFlight) return
    const { order } = inFlight
    this.#requests.place(order, this.#executor.base.committedOrder(order.term))
    if (order.attempt !== attempt) return
    inFlight.votes.set(this.#context.self, hash)
    this.#evaluate(k, inFlight)
  }

  #evaluate(k: number, inFlight: InFlight): void {
    const own = this.#executor.executed(k)
    if (inFlight.decided) {
      if (own && [...inFlight.votes.values()].some((hash) => !sameBytes(hash, own.hash))) {
        this.#context.outbox.log('error', 'late-disagreement', { k, term: this.#context.holds })
      }
      return
    }
    const tally = new Map<string, number>()
    for (const [slot, hash] of inFlight.votes) {
      if (!inFlight.counted.has(slot)) continue
      const key = Buffer.from(hash).toString('hex')
      tally.set(key, (tally.get(key) ?? 0) + 1)
    }
    const voters = new Set([...inFlight.voters, ...this.#voted(inFlight)])
    const needed = Math.floor(voters.size / 2) + 1
    const winner = [...tally].find(([, count]) => count >= needed)?.[0]
    if (winner !== undefined) {
      if (!own || own.attempt !== inFlight.order.attempt) return
      if (Buffer.from(own.hash).toString('hex') !== winner) {
        this.#context.outbox.log('error', 'own-result-in-the-minority', {
          k,
          term: this.#context.holds,
        })
        this.#resign('own result in the minority')
        this.#rebuild()
        return
      }
      inFlight.decided = true
      if (voters.size === 1 && this.#context.slots > 1) this.metrics.oneOfOne++
      this.#appendDecided()
      return
    }
    const waiting = [...voters].some((slot) => !inFlight.votes.has(slot))
    if (!waiting) this.#retry(k, inFlight.order.attempt)
  }

  #voted(inFlight: InFlight): Slot[] {
    return [...inFlight.votes.keys()].filter((slot) => inFlight.counted.has(slot))
  }

  /**
   * Without a majority, order k and all orders above it get a new attempt, with new seeds and on
   * rebuilt states.
   */
  #retry(k: number, attempt: number): void {
    this.metrics.divergences++
    this.#context.outbox.log('error', 'no-majority', { k, attempt, term: this.#context.holds })
    if (attempt >= LAST_ATTEMPT) {
      this.#resign('no majority even for a refusal')
      return
    }
    this.#rebuild()
    for (const [number, { order }] of [...this.#orders].sort(([a], [b]) => a - b)) {
      if (number >= k) this.#give(number, order.attempt + 1, order.commands)
      // The rebuild has forgotten the result of an order before k that is still to be appended.
      else if (number >= this.#nextAppend) this.#executor.hold(order)
    }
  }

  #appendDecided(): void {
    for (;;) {
      const inFlight = this.#orders.get(this.#nextAppend)
      const executed = this.#executor.executed(this.#nextAppend)
      if (!inFlight?.decided || !executed) return
      const { term, k, time } = inFlight.order
      this.#nextAppend++
      this.#writes.append({ term, k, time, contents: executed.contents })
    }
  }

  onAppended(k: number): void {
    const inFlight = this.#orders.get(k)
    if (!inFlight) return
    this.#orders.delete(k)
    this.commitTimes.add(this.#context.now.monotonic - inFlight.since)
    this.issue()
  }

  // ---- links and time -------------------------------------------------------------------------

  /** A peer that is new in the ring, or newly connected, lacks the uncommitted orders. */
  linked(slot: Slot): void {
    const orders = [...this.#orders].sort(([a], [b]) => a - b)
    for (const [, { order }] of orders) this.#context.send(slot, order)
  }

  lost(slot: Slot): void {
    for (const [k, inFlight] of [...this.#orders]) {
      if (!inFlight.voters.delete(slot)) continue
      if (this.#orders.get(k) === inFlight) this.#evaluate(k, inFlight)
    }
  }

  tick(): void {
    const { now, timings, self } = this.#context
    for (const [k, inFlight] of [...this.#orders]) {
      if (inFlight.decided || now.monotonic - inFlight.since <= timings.suspect) continue
      if (this.#orders.get(k) !== inFlight) continue
      for (const slot of [...inFlight.voters]) {
        if (slot === self || inFlight.votes.has(slot)) continue
        inFlight.voters.delete(slot)
        this.#lagging.add(slot)
      }
      this.#evaluate(k, inFlight)
    }
  }
}
