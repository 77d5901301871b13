// What a checker may watch. Checkers see what leaves a replica and what is on its disk, not what
// it thinks, but for the few views below.

import type { Machine } from '../../../protocol/machine/machine.js'
import type { Epoch } from '../../../protocol/entries/epoch.js'
import type { DurableState, WriteBatch } from '../../../protocol/machine/storage.js'
import type { LogView } from '../../../protocol/persistence/tail.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import type { Lane } from '../connection.js'
import type { LogFields } from '../coverage/reach.js'
import type { Disk } from '../disk.js'
import type { Host } from '../host.js'

/** Milliseconds. Longer between two steps of a replica, and it was not running. */
export const GAP_MS = 200

export interface Check {
  /** A machine said it; it may never arrive. */
  sent?(from: Host, to: Host, message: Message): void
  /** `to` is about to take it up. */
  delivered?(from: Host, to: Host, message: Message): void
  /** A transaction was done. */
  written?(disk: Disk, batch: WriteBatch, before: DurableState): void
  stepped?(host: Host): void
  started?(host: Host): void
  /** A machine logs it. */
  logged?(host: Host, event: string, fields: LogFields): void
  /** A connection to `peer` has come up at `host`. */
  linked?(host: Host, peer: Host, lane: Lane): void
  /** `host` has learned that a connection to `peer` is over. */
  unlinked?(host: Host, peer: Host, lane: Lane): void
  /** Once, at the end of a run that went well so far. */
  ended?(): void
}

/** What a persistence replica shows of itself. */
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

/** What every message between persistence replicas carries. */
export interface PeerHeader {
  readonly clock: number
  readonly installed: Epoch
  readonly promised: Epoch
}

export function peerHeader(message: Message): PeerHeader | null {
  return 'clock' in message ? message : null
}
