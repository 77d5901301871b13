// The one pattern: a machine takes an input and answers with effects, synchronously. A machine knows
// no socket, file, clock or randomness; what it needs of them comes with the input. Exactly two
// interpreters carry effects out: daemons/runtime/driver and test/simulator.

import type { Slot, Tier } from '../slots.js'
import type { Durations } from '../durations.js'
import type { Job, JobResult } from './compute.js'
import type { ReadQuery, ReadResult, Transaction, WriteResult } from './storage.js'
import type { Message } from '../messages/catalogue.js'
import type { LoadedPart, SnapshotPart } from '../snapshot/record.js'

/**
 * Number of a connection. Each process numbers its own connections, and a new connection to the
 * same peer has a new number.
 */
export type LinkId = number & { readonly __brand: 'LinkId' }

/**
 * The peer of a connection, as the handshake proved it. `lane` is 'main' for everything whose order
 * matters and 'bulk' for reads, so that a page of an inbox never delays a heartbeat.
 */
export type Peer =
  | {
      readonly role: Tier
      readonly slot: Slot
      /** Random per process start: tells a restarted replica from a reconnected one. */
      readonly boot: string
      readonly lane: 'main' | 'bulk'
    }
  | { readonly role: 'client'; readonly address: string }

/** Both clocks in milliseconds. Protocols measure with `monotonic`; `wall` is only ever data. */
export interface Now {
  readonly monotonic: number
  readonly wall: number
}

export type Input =
  | { readonly type: 'link-up'; readonly link: LinkId; readonly peer: Peer }
  | { readonly type: 'link-down'; readonly link: LinkId; readonly reason: string }
  | { readonly type: 'message'; readonly link: LinkId; readonly message: Message }
  | { readonly type: 'tick' }
  /** The machine has asked to go on, by the effect of this name. */
  | { readonly type: 'again' }
  /** The end of a `persist`: durable, with the state that its transaction read. */
  | { readonly type: 'stored'; readonly token: number; readonly result: WriteResult }
  | { readonly type: 'read'; readonly token: number; readonly result: ReadResult }
  | { readonly type: 'computed'; readonly token: number; readonly result: JobResult }
  /** The end of a `save`. */
  | { readonly type: 'saved'; readonly outcome: SaveOutcome }
  /** The answer to a `load`. */
  | { readonly type: 'loaded'; readonly part: LoadedPart | UnsoundSnapshot }
  /** Progress of a long computation, for the client that waits. */
  | { readonly type: 'progress'; readonly token: number; readonly text: string }
  /**
   * A request to leave in good order (SIGTERM). The machine answers with `stopped` when it may go.
   */
  | { readonly type: 'drain' }
  /** A request of people: a coordinator lets another one lead, and stays. */
  | { readonly type: 'resign' }

export type SaveOutcome =
  /** The part is in the transaction, or the transaction is in the file. */
  | 'written'
  /** No room: the file is as it was before the save. */
  | 'full'
  /** The file is gone. */
  | 'lost'

/** The reason why a snapshot must not be used. */
export interface UnsoundSnapshot {
  readonly unsound: string
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Effect =
  | { readonly type: 'send'; readonly link: LinkId; readonly message: Message }
  /** The rest of the work is done in a step of its own, once the messages before have left. */
  | { readonly type: 'again' }
  /** Closes a connection, after all frames sent on it before. */
  | { readonly type: 'close'; readonly link: LinkId; readonly reason: string }
  /** A client has logged in: its frames may be as long as WELCOME said. */
  | { readonly type: 'admit'; readonly link: LinkId }
  /** A transaction, in the file's only writer queue, first in first out. */
  | { readonly type: 'persist'; readonly token: number; readonly transaction: Transaction }
  | { readonly type: 'read'; readonly token: number; readonly query: ReadQuery }
  /**
   * A part of a save of the snapshot, a file beside the log that may be lost: one part at a time.
   */
  | { readonly type: 'save'; readonly part: SnapshotPart }
  /** Reads the records of the snapshot after a key, in order; null: from the first one. */
  | { readonly type: 'load'; readonly after: string | null }
  /** `origin`: jobs that wait for a worker take turns by origin. */
  | { readonly type: 'compute'; readonly token: number; readonly job: Job; readonly origin: string }
  /** Stops reading from a client, or reads on. */
  | { readonly type: 'hold'; readonly link: LinkId; readonly held: boolean }
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly event: string
      readonly fields: Readonly<Record<string, string | number | boolean>>
    }
  /** Drained: this replica has nothing left to do. */
  | { readonly type: 'stopped' }

/** Milliseconds between two ticks. */
export const TICK_MS = 20
export const CALM_TICK_MS = 125

/** A word of the debug port: its meaning, for `help`, and its answer, as lines. */
interface DebugWord {
  readonly meaning: string
  readonly answer: () => string | Promise<string>
}

export type DebugWords = Readonly<Record<string, DebugWord>>

/**
 * A replica's protocol. `step` handles one input completely and returns effects in the order in
 * which they are to be carried out; it throws InvariantError when the replica must halt.
 */
export interface Machine {
  step(input: Input, now: Now): Effect[]
  /**
   * Nothing is under way that a tick moves on, but heartbeats: ticks may come every `CALM_TICK_MS`
   * instead of every `TICK_MS`.
   */
  readonly calm?: boolean
  /** The words of the debug port. */
  readonly debugWords: DebugWords
  /** Gauges and counters for `mntr`, by Prometheus name. */
  metrics(): Record<string, number>
  /** Histograms, if the machine measures any. */
  durations?(): Readonly<Record<string, Durations>>
}
