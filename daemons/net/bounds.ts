// Limits of connections: bytes of frames and queues, numbers of connections, and deadlines.

import { MAX_PEER_FRAME } from '../../protocol/schema/shared.js'

export interface LinkBounds {
  /**
   * Longest frame, in bytes: before the handshake or the log-in, of a replica, of a logged-in
   * client.
   */
  readonly helloFrame: number
  readonly peerFrame: number
  readonly clientFrame: number
  /** Bytes that may wait to be sent, to a replica and to a client. */
  readonly peerQueue: number
  readonly clientQueue: number
  /** Replicas are not counted: they always get a connection. */
  readonly maxClients: number
  readonly connectionsPerAddress: number
  /** Connections in handshake, and the longest time that a handshake may take. */
  readonly handshakes: number
  readonly handshakeMs: number
  /** Longest time that a client without a log-in may stay without a request. */
  readonly loginMs: number
  /** From the first byte of a client's frame to its last. */
  readonly frameMs: number
  /** A replica's link ends after this silence; PINGs go out from a quarter of it on. */
  readonly peerSilenceMs: number
  readonly clientSilenceMs: number
  /** Interval of a client's signs of life, as WELCOME tells it. */
  readonly clientHeartbeatMs: number
  /** Most unanswered requests of a client, as WELCOME tells it. */
  readonly credit: number
}

export const BOUNDS: LinkBounds = {
  helloFrame: 4 * 1024,
  // MAX_PEER_FRAME bounds a group's content; headers and lengths come on top.
  peerFrame: 4 * MAX_PEER_FRAME,
  clientFrame: 128 * 1024,
  peerQueue: 32 * 1024 * 1024,
  clientQueue: 8 * 1024 * 1024,
  maxClients: 3_500,
  connectionsPerAddress: 512,
  handshakes: 512,
  handshakeMs: 5_000,
  loginMs: 60_000,
  frameMs: 10_000,
  peerSilenceMs: 4_000,
  clientSilenceMs: 60_000,
  clientHeartbeatMs: 5_000,
  credit: 256,
}

/** Limits that the cluster file may set, beside those of the machine. */
export type LinkLimits = Pick<LinkBounds, (typeof LINK_LIMITS)[number]>

const LINK_LIMITS = [
  'maxClients',
  'connectionsPerAddress',
  'handshakes',
  'handshakeMs',
  'loginMs',
  'frameMs',
  'clientSilenceMs',
  'clientQueue',
] as const satisfies (keyof LinkBounds)[]

export function linkLimitsOf(bounds: LinkBounds): LinkLimits {
  return Object.fromEntries(LINK_LIMITS.map((name) => [name, bounds[name]])) as LinkLimits
}
