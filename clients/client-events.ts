// The events of a client: its connection, the keys of its contacts, the states of its sends.

import type { KeyNotice } from './e2e/known-keys.js'
import type { ReceiptEvent } from './receipts.js'

/** The events of {@link Client.events}. */
export interface ClientEvents {
  /** A processing replica serves this client from now on. */
  connected: [
    {
      /** Slot of the replica. */
      slot: number
      /** Slot of the coordinator; 0: none known. */
      coordinator: number
    },
  ]
  /** The connection is lost; the client looks for another by itself. */
  disconnected: [
    {
      /** Why the connection was lost: a text to show, not to match. */
      reason: string
    },
  ]
  /**
   * The service serves another history of the log, after a restore or a recovery: an index may name another
   * message there. The client reads on from the read mark that the service has, so a message may come twice.
   * Unanswered requests have been rejected with `HISTORY_CHANGED`.
   */
  history: [
    {
      /** History that the positions of before are of. */
      from: string
      /** History that is served now. */
      to: string
    },
  ]
  /**
   * The client was connected, cannot connect now, and goes on trying; emitted once for each reason. A wrong
   * certificate, version or cluster is a reason, too: it may be mended.
   */
  retrying: [
    {
      /** Why the last try failed: a text to show, not to match. */
      reason: string
    },
  ]
  /** The cluster has another coordinator from now on. */
  coordinator: [
    {
      /** Slot of the coordinator. */
      slot: number
    },
  ]
  /** The client was connected before, and another connection serves it from now on. */
  failover: [
    {
      /** Slot of the replica that served before. */
      from: number
      /** Slot of the replica that serves now. */
      to: number
      /** How long there was no connection, in milliseconds. */
      gapMs: number
    },
  ]
  /** The client sees keys of a contact for the first time, or other keys than it knew. Show it. */
  keys: [KeyNotice]
  /** A send has reached its next state; emitted only after {@link Receipts.follow}. */
  receipt: [ReceiptEvent]
}
