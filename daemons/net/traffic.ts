// Counters of the connections of one replica, for the metrics.

import type { Peer } from '../../protocol/machine/machine.js'

export type Role = Peer['role']

/**
 * Counters of all connections of a role, on every lane, since the start; bytes are those within
 * TLS.
 */
export interface Tally {
  receivedFrames: number
  sentFrames: number
  receivedBytes: number
  sentBytes: number
  /** Calls of the socket's `write`, each with all frames of one turn of the event loop. */
  writes: number
  up: number
  down: number
}

const NOTHING: Tally = {
  receivedFrames: 0,
  sentFrames: 0,
  receivedBytes: 0,
  sentBytes: 0,
  writes: 0,
  up: 0,
  down: 0,
}

export class Traffic {
  readonly byRole: Readonly<Record<Role, Tally>> = {
    client: { ...NOTHING },
    processing: { ...NOTHING },
    persistence: { ...NOTHING },
  }
  /** Counters of connections in handshake. */
  readonly unknown: Tally = { ...NOTHING }
  /** Connections refused or ended for what the other side did, by the error's name. */
  readonly refused = new Map<string, number>()

  refuse(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}
