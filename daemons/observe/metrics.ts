// The metrics of links, workers and store: one row a metric, read at each scrape. Those of the
// process are in process-metrics.ts, those of the machine in protocol/machine/metrics.ts. Names and
// units follow Prometheus.

import { stat } from 'node:fs/promises'
import type { CredentialWatch } from '../net/credential-watch.js'
import type { Driver } from '../runtime/driver.js'
import type { Links } from '../net/links.js'
import type { Role } from '../net/traffic.js'
import type { DiskRoom } from './disk.js'
import { VERSIONS } from './version.js'
import { PROCESS_ROWS } from './process-metrics.js'
import { one, type Row, type Sample } from './row.js'
import { errorName } from '../../protocol/errors.js'
import type { Machine } from '../../protocol/machine/machine.js'

/** What a store tells about its file. */
export interface StoreFigures {
  /** Transactions that are on disk, since the start. */
  readonly transactions: number
  /** When a pass through the whole file last ended, ms since 1970; 0: never. */
  readonly scrubbedAt: number
  /** The pass under way has verified entries through this index. */
  readonly scrub: { readonly verified: number }
  readonly housekeeping: {
    readonly segments: number
    readonly vacuumedPages: number
    /** When a step last gave pages back, ms since 1970; 0: none has. */
    readonly vacuumedAt: number
  }
  /** Bytes by part of the log. */
  sizes(): Promise<Readonly<Record<string, number>>>
}

/** The parts of a replica that the metrics are read from. */
export interface Sources {
  readonly machine: Machine
  readonly links: Links
  readonly driver: Driver
  readonly notReady: () => string | null
  /** Room where the data is; null: the system does not tell. */
  readonly disk: () => DiskRoom | null
  readonly credentials: CredentialWatch | null
  readonly store?: StoreFigures
  /** Paths of the replica's folder, and of its file: the log, or the snapshot. */
  readonly paths?: { readonly directory: string; readonly data: string }
  readonly computations?: () => { threads: number; running: number; waiting: number }
}

const byRole = (valueOf: (role: Role) => number): Sample[] =>
  (['client', 'processing', 'persistence'] as const).map((role) => ({
    labels: { role },
    value: valueOf(role),
  }))

const counted = (label: string, counts: ReadonlyMap<string, number>): Sample[] =>
  [...counts].map(([name, value]) => ({ labels: { [label]: name }, value }))

const seconds = (date: Date): number => Math.round(date.getTime() / 1_000)

/** Bytes of a file; 0: there is none. */
function bytesOf(path: string): Promise<number> {
  return stat(path).then(
    ({ size }) => size,
    () => 0,
  )
}

export const ROWS = {
  troca_file_bytes: {
    help: "Bytes of this replica's file, the log or the snapshot: main, and its write-ahead log, wal.",
    type: 'gauge',
    labels: ['part'],
    read: async ({ paths }) => {
      if (!paths) return []
      const parts = { main: paths.data, wal: `${paths.data}-wal` }
      const samples = Object.entries(parts).map(async ([part, path]) => {
        return { labels: { part }, value: await bytesOf(path) }
      })
      return Promise.all(samples)
    },
  },
  troca_ready: {
    help: '1 where this replica serves, as /readyz says.',
    type: 'gauge',
    read: ({ notReady }) => one(notReady() === null ? 1 : 0),
  },
  troca_build_info: {
    help: '1; the labels name the versions of Troca, of its wire and of Node.',
    type: 'gauge',
    labels: ['version', 'wire', 'node'],
    read: () => [{ labels: VERSIONS, value: 1 }],
  },
  ...PROCESS_ROWS,
  troca_disk_bytes: {
    help: 'The disk of the data folder: its size, size, and what is free for this process, free.',
    type: 'gauge',
    labels: ['part'],
    read: ({ disk }) =>
      Object.entries(disk() ?? {}).map(([part, value]) => ({ labels: { part }, value })),
  },
  troca_certificate_expiry_timestamp_seconds: {
    help: 'When the certificate in use, and the authority that signed it, expire.',
    type: 'gauge',
    labels: ['certificate'],
    read: ({ credentials }) =>
      credentials
        ? [
            { labels: { certificate: 'own' }, value: seconds(credentials.expiry.own) },
            { labels: { certificate: 'authority' }, value: seconds(credentials.expiry.authority) },
          ]
        : [],
  },
  troca_clients: {
    help: 'Connections of clients.',
    type: 'gauge',
    read: ({ links }) => one(links.count('client')),
  },
  troca_handshakes: {
    help: 'Connections in handshake.',
    type: 'gauge',
    read: ({ links }) => one(links.strangers),
  },
  troca_links: {
    help: 'Connections, by role of the other end.',
    type: 'gauge',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.count(role)),
  },
  troca_links_up_total: {
    help: 'Connections that came up.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].up),
  },
  troca_links_down_total: {
    help: 'Connections that ended.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].down),
  },
  troca_links_refused_total: {
    help: 'Connections refused, or ended for what the other side did; TLS: its handshake failed.',
    type: 'counter',
    labels: ['reason'],
    read: ({ links }) => counted('reason', links.traffic.refused),
  },
  troca_dials_failed_total: {
    help: 'Tries to reach a replica that led to no link.',
    type: 'counter',
    labels: ['peer'],
    read: ({ links }) => counted('peer', links.failedDials),
  },
  troca_received_bytes_total: {
    help: 'Bytes received, within TLS.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].receivedBytes),
  },
  troca_sent_bytes_total: {
    help: 'Bytes handed over to be sent, within TLS.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].sentBytes),
  },
  troca_received_frames_total: {
    help: 'Frames received after the handshake, signs of life included.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].receivedFrames),
  },
  troca_sent_frames_total: {
    help: 'Frames handed over to be sent, signs of life included.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].sentFrames),
  },
  troca_socket_writes_total: {
    help: 'Writes to sockets; each takes all frames that one turn of the event loop has for a link.',
    type: 'counter',
    labels: ['role'],
    read: ({ links }) => byRole((role) => links.traffic.byRole[role].writes),
  },
  troca_queued_bytes: {
    help: 'Bytes that wait to be sent, on all connections.',
    type: 'gauge',
    read: ({ links }) => one(links.queuedBytes),
  },
  troca_messages_received_total: {
    help: 'Messages by kind: SEND are sends, LOGIN log-ins tried, ELECTION the ring at work.',
    type: 'counter',
    labels: ['message'],
    read: ({ driver }) => counted('message', driver.received),
  },
  troca_messages_sent_total: {
    help: 'Messages by kind: RECEIPT are sends stored, SESSION log-ins, REQUEST turns asked for.',
    type: 'counter',
    labels: ['message'],
    read: ({ driver }) => counted('message', driver.sent),
  },
  troca_requests_refused_total: {
    help: 'Requests answered by an error, by its name.',
    type: 'counter',
    labels: ['reason'],
    read: ({ driver }) =>
      [...driver.errors].map(([code, value]) => ({
        labels: { reason: errorName(code) ?? String(code) },
        value,
      })),
  },
  troca_writes_waiting: {
    help: 'Transactions asked for and not yet on disk.',
    type: 'gauge',
    read: ({ driver }) => one(driver.writing),
  },
  troca_worker_threads: {
    help: 'Threads for RSA and scrypt.',
    type: 'gauge',
    read: ({ computations }) => (computations ? one(computations().threads) : []),
  },
  troca_computations_running: {
    help: 'Worker threads that compute.',
    type: 'gauge',
    read: ({ computations }) => (computations ? one(computations().running) : []),
  },
  troca_computations_waiting: {
    help: 'Computations that wait for a thread.',
    type: 'gauge',
    read: ({ computations }) => (computations ? one(computations().waiting) : []),
  },
} as const satisfies Record<string, Row<Sources>>

/** Rows of a replica with a store. */
export const STORE_ROWS = {
  troca_transactions_total: {
    help: 'Transactions on disk. Each syncs the write-ahead log; checkpoints sync once more.',
    type: 'counter',
    read: ({ store }) => (store ? one(store.transactions) : []),
  },
  troca_scrub_timestamp_seconds: {
    help: 'When a pass through the whole file last ended; 0: never.',
    type: 'gauge',
    read: ({ store }) => (store ? one(Math.round(store.scrubbedAt / 1_000)) : []),
  },
  troca_scrub_index: {
    help: 'Log index through which the pass through the file that is under way, or was last, has come.',
    type: 'gauge',
    read: ({ store }) => (store ? one(store.scrub.verified) : []),
  },
  troca_segments_total: {
    help: 'Segments that old batches were packed into.',
    type: 'counter',
    read: ({ store }) => (store ? one(store.housekeeping.segments) : []),
  },
  troca_vacuumed_pages_total: {
    help: 'Free pages of the file that were given back to the system.',
    type: 'counter',
    read: ({ store }) => (store ? one(store.housekeeping.vacuumedPages) : []),
  },
  troca_vacuum_timestamp_seconds: {
    help: 'When pages were last given back; 0: not since the start.',
    type: 'gauge',
    read: ({ store }) => (store ? one(Math.round(store.housekeeping.vacuumedAt / 1_000)) : []),
  },
  troca_log_bytes: {
    help: 'Bytes of the log: of its file, main, of the write-ahead log, wal, of all pages, content, and of free ones, free.',
    type: 'gauge',
    labels: ['part'],
    read: async ({ store }) => {
      if (!store) return []
      const sizes = Object.entries(await store.sizes())
      return sizes.map(([part, value]) => ({ labels: { part }, value }))
    },
  },
} as const satisfies Record<string, Row<Sources>>
