// What a connection may weigh and how long it may keep silent.

import { MAX_PEER_FRAME } from '../../protocol/messages/common.js'

export interface LinkBounds {
  /** Longest frame of who has not proved who it is, of a replica, of a client logged in. */
  readonly helloFrame: number
  readonly peerFrame: number
  readonly clientFrame: number
  /** Bytes that wait to be sent, to a replica and to a client. */
  readonly peerQueue: number
  readonly clientQueue: number
  /** Below what the port takes in all: there is always room for replicas. */
  readonly maxClients: number
  readonly handshakeMs: number
  /** Silence of a replica beyond this ends its link; it is asked for a sign of life before. */
  readonly peerSilenceMs: number
  readonly clientSilenceMs: number
  /** Told to clients: how often to give a sign of life. */
  readonly clientHeartbeatMs: number
  /** Told to clients: requests unanswered at a time. */
  readonly credit: number
}

export const BOUNDS: LinkBounds = {
  helloFrame: 4 * 1024,
  // Headers and lengths come on top of what a group may weigh.
  peerFrame: 4 * MAX_PEER_FRAME,
  clientFrame: 128 * 1024,
  peerQueue: 32 * 1024 * 1024,
  clientQueue: 8 * 1024 * 1024,
  maxClients: 3_500,
  handshakeMs: 5_000,
  peerSilenceMs: 4_000,
  clientSilenceMs: 60_000,
  clientHeartbeatMs: 5_000,
  credit: 256,
}
