// The options of connect() and of operations.

import type { KeyStore } from './e2e/key-store.js'

/** The address of one processing replica. */
export interface ServerAddress {
  /** Host name or IP address. */
  readonly host: string
  /** TCP port. */
  readonly port: number
  /** Slot 1 ... N of the replica; by default its place in the list of servers, from 1. */
  readonly slot?: number
}

/** One or several certificates in PEM, or the function that reads them. */
export type Authority = string | Buffer | (() => string | Buffer)

/** The options of {@link connect}. */
export interface ConnectOptions {
  /** The processing replicas, in the order of their slots: p1, p2 ... */
  readonly servers: readonly (ServerAddress | string)[]
  /**
   * Certificate of the cluster's CA, in PEM; needed unless `tls` is false. A function is called at each try
   * to connect, so that a program that runs for years can follow an exchange of the CA.
   */
  readonly ca?: Authority
  /** The cluster's name, from client.json; a server of another cluster refuses the client. */
  readonly clusterId?: string
  /** false: plain TCP, for lessons on loopback only. */
  readonly tls?: boolean
  /** The account to log in; without it the application logs in or registers later. */
  readonly user?: string
  /** The password of `user`. */
  readonly password?: string
  /**
   * Where the keys of client-held accounts and the known keys of contacts are; see
   * {@link KeyFolder}.
   */
  readonly keyStore?: KeyStore
  /** Ends the client; every unanswered operation rejects with `CLOSED`. */
  readonly signal?: AbortSignal
  /** Time-out of connecting, and of each operation without its own, in ms; 10,000 by default. */
  readonly timeoutMs?: number
  /**
   * After this without a send, in ms, the client closes its stream of sends, and opens another for
   * the next send; 300,000 by default.
   */
  readonly streamIdleMs?: number
}

/** The options of every operation. */
export interface OperationOptions {
  /** Aborts the operation, which rejects with `ABORTED`. */
  readonly signal?: AbortSignal
  /** The operation rejects with `TIMEOUT` after this, in ms; by default the client's time-out. */
  readonly timeoutMs?: number
}

/** The options of {@link Client.send}. */
export interface SendOptions extends OperationOptions {
  /** true: rejects with `NOT_END_TO_END` unless this client seals and signs the message. */
  readonly endToEnd?: boolean
}

/** Names of users, as the service accepts them. */
export const USER_NAME = /^[a-z][a-z0-9._-]{0,31}$/

export const DEFAULT_TIMEOUT_MS = 10_000
export const DEFAULT_STREAM_IDLE_MS = 300_000

export interface Server extends ServerAddress {
  readonly slot: number
}

/** Throws TypeError for a text that is not "host:port". */
export function parseServers(servers: ConnectOptions['servers']): Server[] {
  return servers.map((server, i) => {
    if (typeof server !== 'string') return { ...server, slot: server.slot ?? i + 1 }
    const match = /^\[?(.+?)\]?:(\d+)$/.exec(server)
    if (!match) throw new TypeError(`a server is written host:port, not "${server}"`)
    return { host: match[1]!, port: Number(match[2]), slot: i + 1 }
  })
}
