// The hooks of a checker: the messages that leave a replica and what is on its disk, not its inner
// state, apart from the few views below.

import type { Machine } from '../../../protocol/machine/machine.js'
import type { Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, Transaction } from '../../../protocol/machine/storage.js'
import type { LogView } from '../../../protocol/persistence/tail.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Lane } from '../connection.js'
import type { LogFields } from '../coverage/reach.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'

/** Milliseconds. A replica with a longer gap between two of its steps was not running. */
export const GAP_MS = 200

export interface Check {
  /** A machine has sent the message, which may never arrive. */
  sent?(from: Host, to: Host, message: Message): void
  /** The message has arrived, and `to` is about to handle it. */
  delivered?(from: Host, to: Host, message: Message): void
  /** A transaction is done; `before` is what the file held before it. */
  written?(disk: Disk, batch: Transaction, before: DurableState): void
  stepped?(host: Host): void
  started?(host: Host): void
  /** A machine writes a log event. */
  logged?(host: Host, event: string, fields: LogFields): void
  /** A connection to `peer` has come up at `host`. */
  linked?(host: Host, peer: Host, lane: Lane): void
  /** `host` has learned that a connection to `peer` is over. */
  unlinked?(host: Host, peer: Host, lane: Lane): void
  /** The end of a run that had no violation so far. */
  ended?(): void
}

/** The state that a persistence replica shows. */
export interface TurnView extends Machine {
  readonly status: string
  readonly installedEpoch: Epoch
  readonly holdsTurn: boolean
  readonly log: LogView
}

export function turnView(host: Host): TurnView | null {
  const { machine } = host
  return machine && 'holdsTurn' in machine ? (machine as TurnView) : null
}

/** The fields of every message between persistence replicas. */
export interface PeerHeader {
  readonly clock: number
  readonly installed: Epoch
  readonly promised: Epoch
}

export function peerHeader(message: Message): PeerHeader | null {
  return 'clock' in message ? message : null
}
