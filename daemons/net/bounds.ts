// What connections may weigh, how many there may be, and how long they may take.

import { MAX_PEER_FRAME } from '../../protocol/schema/shared.js'

export interface LinkBounds {
  /** Longest frame of who has not proved who it is, of a replica, of a client logged in. */
  readonly helloFrame: number
  readonly peerFrame: number
  readonly clientFrame: number
  /** Bytes that wait to be sent, to a replica and to a client. */
  readonly peerQueue: number
  readonly clientQueue: number
  /** Replicas do not count: there is always room for them. */
  readonly maxClients: number
  readonly connectionsPerAddress: number
  /** Connections of whom nobody knows yet who they are; and how long that may be so. */
  readonly handshakes: number
  readonly handshakeMs: number
  /** A client where nobody is logged in, since it last asked for anything. */
  readonly loginMs: number
  /** From the first byte of a client's frame to its last. */
  readonly frameMs: number
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

/** Those that the cluster file may set, beside the machine's own. */
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
