// Drives a machine: feeds it inputs one at a time and carries out its effects in order, with real
// sockets and files. The simulator is the only other driver. An exception of the machine and a
// failed write both end the process, because a replica that exits cannot diverge.

import { hrtime } from 'node:process'
import type { Trace } from './trace.js'
import { InvariantError } from '../../protocol/assert.js'
import {
  CALM_TICK_MS,
  TICK_MS,
  type Effect,
  type Input,
  type LinkId,
  type LogLevel,
  type Machine,
  type Now,
  type SaveOutcome,
  type UnsoundSnapshot,
} from '../../protocol/machine/machine.js'
import type {
  ReadQuery,
  ReadResult,
  Transaction,
  WriteResult,
} from '../../protocol/machine/storage.js'
import type { Message } from '../../protocol/messages/catalogue.js'
import type { Job, JobResult } from '../../protocol/machine/compute.js'
import type { LoadedPart, SnapshotPart } from '../../protocol/snapshot/record.js'
import { encodeFrame } from '../../protocol/wire/frame.js'

/** Exit codes of sysexits.h. */
export const EXIT = { software: 70, io: 74 } as const

export interface Surroundings {
  readonly send: (link: LinkId, frame: Buffer) => void
  readonly close: (link: LinkId, reason: string) => void
  readonly hold: (link: LinkId, held: boolean) => void
  readonly admit: (link: LinkId) => void
  readonly store?: {
    write(transaction: Transaction): Promise<WriteResult>
    read(query: ReadQuery): Promise<ReadResult>
  }
  readonly snapshot?: {
    save(part: SnapshotPart): Promise<SaveOutcome>
    load(after: string | null): Promise<LoadedPart | UnsoundSnapshot>
  }
  /** Told how long a transaction took from the request until it was on disk. */
  readonly wrote?: (seconds: number) => void
  readonly workers?: {
    run(job: Job, origin: string, onProgress: (text: string) => void): Promise<JobResult>
  }
  /** null: nobody looks. */
  readonly trace?: Trace | null
  readonly log: (
    level: LogLevel,
    event: string,
    fields: Readonly<Record<string, string | number | boolean>>,
  ) => void
  /** The machine has finished draining. */
  readonly stopped: () => void
  /** The process must exit. */
  readonly halt: (exitCode: number) => void
}

function count<K>(counts: Map<K, number>, of: K): void {
  counts.set(of, (counts.get(of) ?? 0) + 1)
}

export class Driver {
  readonly #machine: Machine
  readonly #around: Surroundings
  readonly #inputs: Input[] = []
  /** Messages by kind and ERRORs sent by code, since the start. */
  readonly received = new Map<string, number>()
  readonly sent = new Map<string, number>()
  readonly errors = new Map<number, number>()
  /** Transactions requested and not yet on disk. */
  writing = 0
  #started = false
  #running = false
  #halted = false
  #timer: NodeJS.Timeout | null = null
  /** When the next tick is due, monotonic ms. */
  #tickAt = Infinity
  /** Consecutive sends of the same message are encoded once. */
  #encoded: { message: Message; frame: Buffer } | null = null

  constructor(machine: Machine, around: Surroundings) {
    this.#machine = machine
    this.#around = around
  }

  start(): void {
    this.#started = true
    this.#awaitTick(TICK_MS)
  }

  stop(): void {
    this.#halted = true
    if (this.#timer) clearTimeout(this.#timer)
  }

  #awaitTick(delay: number): void {
    const at = performance.now() + delay
    if (!this.#started || this.#halted || this.#tickAt <= at) return
    if (this.#timer) clearTimeout(this.#timer)
    this.#tickAt = at
    this.#timer = setTimeout(() => {
      // setImmediate runs after the poll phase: messages that have arrived precede the tick.
      setImmediate(() => {
        this.#tickAt = Infinity
        this.feed({ type: 'tick' })
      })
    }, delay)
  }

  /** Whole milliseconds. */
  now(): Now {
    return { monotonic: Number(hrtime.bigint() / 1_000_000n), wall: Date.now() }
  }

  /**
   * Takes an input. An input that an effect causes waits until the effects before it are done.
   */
  feed(input: Input): void {
    if (this.#halted) return
    if (input.type === 'message') count(this.received, input.message.type)
    this.#inputs.push(input)
    if (this.#running) return
    this.#running = true
    try {
      for (let next = this.#inputs.shift(); next && !this.#halted; next = this.#inputs.shift()) {
        for (const effect of this.#step(next)) this.#carryOut(effect)
      }
      this.#awaitTick(this.#machine.calm ? CALM_TICK_MS : TICK_MS)
    } catch (error) {
      this.#fail(error as Error, EXIT.software)
    } finally {
      this.#running = false
      this.#encoded = null
    }
  }

  #step(input: Input): readonly Effect[] {
    const { trace } = this.#around
    if (!trace) return this.#machine.step(input, this.now())
    const begun = trace.now()
    const effects = this.#machine.step(input, this.now())
    trace.step(input, begun)
    return effects
  }

  #carryOut(effect: Effect): void {
    switch (effect.type) {
      case 'send':
        count(this.sent, effect.message.type)
        if (effect.message.type === 'ERROR') count(this.errors, effect.message.code)
        this.#around.trace?.send(effect.link, effect.message.type)
        return this.#around.send(effect.link, this.#frameOf(effect.message))
      case 'again':
        // Links flush what they have gathered in an immediate that was asked for before this one.
        setImmediate(() => this.feed({ type: 'again' }))
        return
      case 'close':
        return this.#around.close(effect.link, effect.reason)
      case 'hold':
        return this.#around.hold(effect.link, effect.held)
      case 'admit':
        return this.#around.admit(effect.link)
      case 'persist':
        return this.#persist(effect.token, effect.transaction)
      case 'read':
        return this.#read(effect.token, effect.query)
      case 'save':
        return this.#then(this.#snapshot().save(effect.part), (outcome) => ({
          type: 'saved',
          outcome,
        }))
      case 'load':
        return this.#then(this.#snapshot().load(effect.after), (part) => ({ type: 'loaded', part }))
      case 'compute':
        return this.#compute(effect.token, effect.job, effect.origin)
      case 'log':
        return this.#around.log(effect.level, effect.event, effect.fields)
      case 'stopped':
        return this.#around.stopped()
    }
  }

  #frameOf(message: Message): Buffer {
    if (this.#encoded?.message !== message) this.#encoded = { message, frame: encodeFrame(message) }
    return this.#encoded.frame
  }

  /** The store answers in the order of the requests, so `stored` inputs come in that order too. */
  #persist(token: number, transaction: Transaction): void {
    const asked = performance.now()
    this.writing++
    this.#around.trace?.write()
    this.#store()
      .write(transaction)
      .then(
        (result) => {
          this.writing--
          this.#around.wrote?.((performance.now() - asked) / 1_000)
          this.feed({ type: 'stored', token, result })
        },
        (error: unknown) => this.#fail(error as Error, EXIT.io),
      )
  }

  #read(token: number, query: ReadQuery): void {
    this.#store()
      .read(query)
      .then(
        (result) => this.feed({ type: 'read', token, result }),
        (error: unknown) => this.#fail(error as Error, EXIT.io),
      )
  }

  #then<T>(done: Promise<T>, input: (result: T) => Input): void {
    done.then(
      (result) => this.feed(input(result)),
      (error: unknown) => this.#fail(error as Error, EXIT.software),
    )
  }

  #compute(token: number, job: Job, origin: string): void {
    const { workers } = this.#around
    if (!workers)
      throw new InvariantError('a computation was requested of a replica without workers')
    const progress = (text: string) => this.feed({ type: 'progress', token, text })
    const failed = (error: unknown): JobResult => ({
      kind: 'failed',
      reason: (error as Error).message,
    })
    workers
      .run(job, origin, progress)
      .catch(failed)
      .then(
        (result) => this.feed({ type: 'computed', token, result }),
        (error: unknown) => this.#fail(error as Error, EXIT.software),
      )
  }

  #store(): NonNullable<Surroundings['store']> {
    const { store } = this.#around
    if (!store)
      throw new InvariantError('a write or read was requested of a replica without a store')
    return store
  }

  #snapshot(): NonNullable<Surroundings['snapshot']> {
    const { snapshot } = this.#around
    if (!snapshot) throw new InvariantError('a snapshot was requested of a replica without one')
    return snapshot
  }

  /** Work beside the machine has failed: the process ends as after a failed write. */
  failed(error: Error): void {
    this.#fail(error, EXIT.io)
  }

  #fail(error: Error, exitCode: number): void {
    if (this.#halted) return
    this.stop()
    this.#around.log('error', 'halted', { reason: error.message, stack: error.stack ?? '' })
    this.#around.halt(exitCode)
  }
}
