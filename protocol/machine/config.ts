// Configuration of a replica at its start. The replica learns everything else from its links and
// its file.

import type { Origin } from '../entries/origin.js'
import type { Slot } from '../slots.js'
import type { Entropy } from '../entropy.js'
import { KEEP_ALL, type RetentionRule } from '../entries/retention.js'
import { TAIL, type Recovered, type TailBounds } from './storage.js'
import type { RecipientKey, Seal } from '../envelope/seal.js'

/** All in milliseconds of the monotonic clock. */
export interface Timings {
  /** Time between two heartbeats on an idle link. */
  readonly heartbeat: number
  /** Time until a refused claim or append is made again. */
  readonly retry: number
  /** Silence beyond this is ground for suspicion. */
  readonly suspect: number
  /** How long a proposer waits for answers, and a joiner for a view. */
  readonly patience: number
  /**
   * A coordinator without persistence stops after this, which is longer than a view change takes.
   */
  readonly coordinatorPatience: number
  /** Time that a read waits for the log to get far enough. */
  readonly readPatience: number
}

export const TIMINGS: Timings = {
  heartbeat: 250,
  retry: 100,
  suspect: 1_000,
  patience: 500,
  coordinatorPatience: 3_000,
  readPatience: 1_000,
}

export interface LogBounds {
  /** What is kept in memory behind the end; older entries are read from the file. */
  readonly tail: TailBounds
  /** A replica that is more entries behind catches up before it joins a view, or claims a term. */
  readonly near: number
  /** Entries in one frame of a pull or a feed, at most. */
  readonly stretch: number
  /** Bytes of entries in any frame: well below the bound of a frame between replicas. */
  readonly frameBytes: number
}

export const LOG_BOUNDS: LogBounds = {
  tail: TAIL,
  near: 1_000,
  stretch: 256,
  frameBytes: 160 * 1024,
}

export interface PersistenceConfig extends Origin {
  readonly self: Slot
  /** Persistence slots 1 ... slots. */
  readonly slots: number
  /** null: the file is missing or unsound; the replica starts as a learner. */
  readonly recovered: Recovered | null
  readonly entropy: Entropy
  readonly timings: Timings
  readonly logBounds?: LogBounds
}

/** Users who may register: all; holders of an invitation, and the very first user; none. */
export const REGISTRATION = ['open', 'invitation', 'closed'] as const
export type Registration = (typeof REGISTRATION)[number]

/** Bounds on what a replica holds at once, and on the requests of one client or user. */
export interface Limits {
  /** Commands waiting for a place in the order. */
  readonly queuedCommands: number
  readonly queuedBytes: number
  /** Log-ins, registrations and new keys under way or waiting: in all, and from one address. */
  readonly computations: number
  readonly computationsPerAddress: number
  /** Unanswered requests of one client. */
  readonly credit: number
  /**
   * Wrong passwords that cost no wait: for one account from one address, and from one address in
   * all.
   */
  readonly wrongPasswords: number
  readonly wrongPasswordsPerAddress: number
  /** The longest wait after further wrong passwords, ms. */
  readonly backOffMs: number
  /** Characters (code points in NFC) of a new password, at the least. */
  readonly minPasswordLength: number
  /** Registrations from one address. */
  readonly registrationsPerMinute: number
  /** RSA bits of new accounts. */
  readonly keyBits: number
  /** A key epoch ends after this many commands, or milliseconds. */
  readonly keyEpochCommands: number
  readonly keyEpochMs: number
  /** Open invitations of one user, and how long each stays open. */
  readonly invitations: number
  readonly invitationMs: number
  /** Open streams of one user: one more closes the one that has been idle for longest. */
  readonly openStreams: number
  /** A stream without a new send for so long, by the time of orders, is closed. */
  readonly streamIdleMs: number
  /** Sends and openings of streams by one user, at one replica: in the long run, and at once. */
  readonly sendsPerSecond: number
  readonly sendBurst: number
  /** Bytes of stored messages at which a mailbox accepts no more. */
  readonly mailboxBytes: number
}

export const LIMITS: Limits = {
  queuedCommands: 8_192,
  queuedBytes: 16 * 1024 * 1024,
  computations: 256,
  computationsPerAddress: 64,
  wrongPasswords: 5,
  wrongPasswordsPerAddress: 50,
  backOffMs: 60_000,
  minPasswordLength: 8,
  registrationsPerMinute: 120,
  credit: 320,
  keyBits: 3_072,
  keyEpochCommands: 65_536,
  keyEpochMs: 600_000,
  invitations: 16,
  invitationMs: 7 * 24 * 3_600_000,
  openStreams: 64,
  streamIdleMs: 24 * 3_600_000,
  sendsPerSecond: 20_000,
  sendBurst: 100_000,
  mailboxBytes: 1024 ** 3,
}

export interface RetentionConfig {
  /** For every mailbox. The coordinator's alone counts. */
  readonly rule: RetentionRule
  /** Between two looks at all mailboxes, ms. */
  readonly everyMs: number
}

export const RETENTION: RetentionConfig = { rule: KEEP_ALL, everyMs: 5_000 }

export interface ProcessingConfig extends Origin {
  readonly self: Slot
  /** Processing slots 1 ... slots. */
  readonly slots: number
  /** Persistence slots 1 ... stores. */
  readonly stores: number
  readonly boot: string
  readonly entropy: Entropy
  readonly timings: Timings
  readonly limits: Limits
  readonly registration: Registration
  /** Absent: as RETENTION. */
  readonly retention?: RetentionConfig
  /** Makes the envelope of a text in execution; deterministic. */
  readonly seal: Seal
  readonly readKey: (publicKey: Uint8Array) => RecipientKey
  /** As in LogBounds. */
  readonly near?: number
  /** Absent: the replica keeps no snapshots. */
  readonly snapshots?: {
    /** There is one, to begin with. */
    readonly stored: boolean
    readonly bounds?: SnapshotBounds
  }
}

export interface SnapshotBounds {
  /** Entries and milliseconds between two saves. */
  readonly entries: number
  readonly intervalMs: number
  /** Records and bytes of one part of a save, which are encoded in one step. */
  readonly records: number
  readonly bytes: number
  /** Milliseconds until a save that failed is made again. */
  readonly retryMs: number
  /**
   * Changed records that are remembered for the next save: where no save is possible, the records of
   * ended streams would be ever more. Beyond, the next save has the whole state.
   */
  readonly changes: number
}

export const SNAPSHOT_BOUNDS: SnapshotBounds = {
  entries: 4_096,
  intervalMs: 5_000,
  records: 1_024,
  bytes: 256 * 1024,
  retryMs: 30_000,
  changes: 262_144,
}
