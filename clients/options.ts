// What an application says when it connects.

import type { KeyStore } from './e2e/key-store.js'

/** The place of one processing replica. */
export interface ServerAddress {
  /** Name or IP address. */
  readonly host: string
  /** TCP port. */
  readonly port: number
  /** 1 ... N, where known: then the coordinator that another server names is found at once. */
  readonly slot?: number
}

/** What {@link connect} needs to know. */
export interface ConnectOptions {
  /** Processing replicas; "host:port" is p1, p2 ... in the order given. */
  readonly servers: readonly (ServerAddress | string)[]
  /** PEM of the cluster's CA; needed unless `tls` is false. */
  readonly ca?: string | Buffer
  /** As `troca init` chose it (client.json); a server of another cluster refuses. */
  readonly clusterId?: string
  /** false: plain TCP, for lessons on loopback. */
  readonly tls?: boolean
  /** Who logs in, by `password`; without it the client logs in, or registers, later. */
  readonly user?: string
  /** The password of `user`. */
  readonly password?: string
  /**
   * For client-held accounts: where their keys are, and the known keys of others; see
   * {@link KeyFolder}.
   */
  readonly keyStore?: KeyStore
  /** Gives up whatever is under way. */
  readonly signal?: AbortSignal
  /** For connecting, and for each operation that names no other; 10,000 by default. */
  readonly timeoutMs?: number
}

/** How long an operation may take. */
export interface OperationOptions {
  /** Gives up the operation, which rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** After which the operation rejects with `TIMEOUT`; by default that of the client. */
  readonly timeoutMs?: number
}

/** How {@link Client.send} sends. */
export interface SendOptions extends OperationOptions {
  /** Rejects with `NOT_END_TO_END` where the message would not be sealed and signed here. */
  readonly endToEnd?: boolean
}

export const DEFAULT_TIMEOUT_MS = 10_000

export interface Server extends ServerAddress {
  readonly slot: number
}

/** Throws TypeError on what is not "host:port". */
export function parseServers(servers: ConnectOptions['servers']): Server[] {
  return servers.map((server, i) => {
    if (typeof server !== 'string') return { ...server, slot: server.slot ?? i + 1 }
    const match = /^\[?(.+?)\]?:(\d+)$/.exec(server)
    if (!match) throw new TypeError(`a server is written host:port, not "${server}"`)
    return { host: match[1]!, port: Number(match[2]), slot: i + 1 }
  })
}
