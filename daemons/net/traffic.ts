// What goes over the connections of one replica, counted for who watches it.

import type { Peer } from '../../protocol/machine/machine.js'

export type Role = Peer['role']

/** Of all connections of a role, since the start; bytes within TLS. */
export interface Tally {
  receivedBytes: number
  sentBytes: number
  up: number
  down: number
}

const NOTHING: Tally = { receivedBytes: 0, sentBytes: 0, up: 0, down: 0 }

export class Traffic {
  readonly byRole: Readonly<Record<Role, Tally>> = {
    client: { ...NOTHING },
    processing: { ...NOTHING },
    persistence: { ...NOTHING },
  }
  /** Before a handshake has told whose they are. */
  readonly unknown: Tally = { ...NOTHING }
  /** Connections refused or ended for what the other side did, by the name of the error. */
  readonly refused = new Map<string, number>()

  refuse(reason: string): void {
    this.refused.set(reason, (this.refused.get(reason) ?? 0) + 1)
  }
}
