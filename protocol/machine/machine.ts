// The one pattern: a machine takes an input and answers with effects, synchronously. It knows no
// socket, file, clock or randomness; whatever it needs of them comes in with the input. Exactly two
// interpreters carry effects out: daemons/runtime/driver and test/simulator.

import type { Slot, Tier } from '../slots.js'
import type { Durations } from '../durations.js'
import type { Job, JobResult } from './compute.js'
import type { ReadQuery, ReadResult, WriteBatch, WriteResult } from './storage.js'
import type { Message } from '../messages/catalogue.js'

/** One connection, numbered by each process for itself. A new connection to the same peer has a new number. */
export type LinkId = number & { readonly __brand: 'LinkId' }

/**
 * Who is at the other end, as the handshake proved it. `lane` is 'main' for everything whose order
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
  /** The end of a `persist`: durable, with what its transaction saw. */
  | { readonly type: 'stored'; readonly token: number; readonly result: WriteResult }
  | { readonly type: 'read'; readonly token: number; readonly result: ReadResult }
  | { readonly type: 'computed'; readonly token: number; readonly result: JobResult }
  /** A sign of life of a long computation, for who waits for it. */
  | { readonly type: 'progress'; readonly token: number; readonly text: string }
  /** Asked to leave in good order (SIGTERM). The machine answers with `stopped` when it may go. */
  | { readonly type: 'drain' }

export type LogLevel = 'debug' | 'info' | 'warn' | 'error'

export type Effect =
  | { readonly type: 'send'; readonly link: LinkId; readonly message: Message }
  /** Closes a connection, after what was sent on it before. */
  | { readonly type: 'close'; readonly link: LinkId; readonly reason: string }
  /** A client has proved who it is: its frames may be as long as WELCOME said. */
  | { readonly type: 'admit'; readonly link: LinkId }
  /** One transaction in the file's only writer queue, first in first out. */
  | { readonly type: 'persist'; readonly token: number; readonly batch: WriteBatch }
  | { readonly type: 'read'; readonly token: number; readonly query: ReadQuery }
  /** `origin`: whose turn it takes, where several wait for a worker. */
  | { readonly type: 'compute'; readonly token: number; readonly job: Job; readonly origin: string }
  /** Reads no more from a client, or reads on. */
  | { readonly type: 'hold'; readonly link: LinkId; readonly held: boolean }
  | {
      readonly type: 'log'
      readonly level: LogLevel
      readonly event: string
      readonly fields: Readonly<Record<string, string | number | boolean>>
    }
  /** Drained: nothing of this replica is wanted any more. */
  | { readonly type: 'stopped' }

/** One word of the debug port: what it tells, for `help`, and the answer, as lines. */
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
  /** What the machine tells people of itself, by word of the debug port. */
  readonly debugWords: DebugWords
  /** Gauges and counters for `mntr`, by Prometheus name. */
  metrics(): Record<string, number>
  /** Histograms, where it measures any. */
  durations?(): Readonly<Record<string, Durations>>
}
