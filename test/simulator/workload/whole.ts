// Whole clusters: both tiers as they are, with virtual users.

import type { Machine } from '../../../protocol/machine/machine.js'
import type { Slot } from '../../../protocol/slots.js'
import {
  LIMITS,
  TIMINGS,
  type Limits,
  type ProcessingConfig,
  type Registration,
  type PersistenceConfig,
} from '../../../protocol/machine/config.js'
import { PersistenceReplica } from '../../../protocol/replicas/persistence.js'
import { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import { type Cluster } from '../cluster.js'
import { ORIGIN } from '../origin.js'
import type { Setting, Sizes } from '../setting.js'
import { KEEP_ALL } from '../../../protocol/entries/retention.js'
import { readKey, seal } from '../compute.js'
import type { Start } from '../host.js'
import type { Workload } from '../simulation.js'
import { Random } from '../random.js'
import type { Passwords } from './account.js'
import { Client } from './client.js'
import { Contacts } from './contacts.js'
import { SHORTEST_IDLE_MS, SHORT_IDLE_MS } from './idle.js'

export interface Builders {
  readonly persistence: (config: PersistenceConfig) => Machine
  readonly processing: (config: ProcessingConfig) => Machine
}

const PRODUCT: Builders = {
  persistence: (config) => new PersistenceReplica(config),
  processing: (config) => new ProcessingReplica(config),
}

/** Limits so small that queues overflow; none so small that a request could never get through. */
const TIGHT: readonly Partial<Limits>[] = [
  {},
  {},
  { queuedCommands: 4 },
  { queuedBytes: 64 * 1024 },
  { computations: 1 },
  { credit: 4 },
  { keyEpochCommands: 4 },
  { keyEpochMs: 50 },
  { sendsPerSecond: 50, sendBurst: 20 },
  { mailboxBytes: 20_000 },
  { invitations: 1 },
  { openStreams: 4 },
  { streamIdleMs: SHORTEST_IDLE_MS },
  { openStreams: 3, streamIdleMs: 3_000 },
]

/** Saves so often, and in parts so small, that most entries come while one is under way. */
const SNAPSHOTS = {
  entries: 30,
  intervalMs: 500,
  records: 4,
  bytes: 4_096,
  retryMs: 300,
  changes: 150,
}

/** Between two looks at all mailboxes, ms. */
const RETENTION_EVERY_MS = 300

export class Whole implements Workload {
  busy = true
  readonly leastTail = 256
  readonly #builders: Builders
  readonly #wrong = new Set<Slot>()
  /** The limits of the whole run, drawn when the first replica or client starts. */
  #limits: Limits | null = null
  #users: string[] = []
  #held: ReadonlySet<string> | null = null
  readonly #passwords: Passwords = new Map()
  readonly #contacts = new Contacts()
  readonly #streams: Uint8Array[] = []
  #registration: Registration | null = null

  constructor(builders = PRODUCT) {
    this.#builders = builders
  }

  persistence(config: PersistenceConfig): Machine {
    return this.#builders.persistence(config)
  }

  processing(slot: Slot, start: Start, setting: Setting): Machine {
    const { sizes, logBounds, retention = KEEP_ALL, uneven = false } = setting
    const rule = uneven && slot % 2 === 0 ? KEEP_ALL : retention
    return this.#builders.processing({
      ...ORIGIN,
      self: slot,
      slots: sizes.processing,
      stores: sizes.persistence,
      boot: start.boot,
      entropy: start.entropy,
      timings: TIMINGS,
      limits: this.#limitsOf(start),
      registration: this.#registrationOf(start),
      near: logBounds.near,
      retention: { rule, everyMs: RETENTION_EVERY_MS },
      snapshots: { stored: start.snapshot!.content !== null, bounds: SNAPSHOTS },
      seal: (input) =>
        seal(
          this.#wrong.has(slot) ? { ...input, text: `${input.text}, wrongly by p${slot}` } : input,
        ),
      readKey: (publicKey) => {
        const key = readKey(publicKey)
        return this.#wrong.has(slot) ? { ...key, kid: `${key.kid}, wrongly by p${slot}` } : key
      },
    })
  }

  /** Makes this replica compute wrong bytes, or right ones again. */
  corrupt(slot: Slot, wrong: boolean): void {
    if (wrong) this.#wrong.add(slot)
    else this.#wrong.delete(slot)
  }

  #limitsOf(start: Start): Limits {
    if (this.#limits) return this.#limits
    const chance = chanceOf(start)
    const invitationMs = chance.pick([500, 3_000, LIMITS.invitationMs])
    // Short back-off: users who do not know which of their passwords counts try them in turn.
    const guarded = { wrongPasswords: 2, backOffMs: 100, registrationsPerMinute: 60 }
    const roomy = { ...LIMITS, ...guarded, queuedCommands: 64, computations: 8, invitationMs }
    this.#limits = { ...roomy, ...chance.pick(TIGHT) }
    return this.#limits
  }

  /** Some replicas register nobody, for one boot, once all users are there. */
  #registrationOf(start: Start): Registration {
    this.#registration ??= chanceOf(start).pick(['open', 'open', 'invitation'])
    const closes = Number.parseInt(start.boot.slice(-1), 16) % 2 === 0
    return closes && this.#contacts.allJoined(this.#users) ? 'closed' : this.#registration
  }

  /** The user of a client; in some runs two clients have one name. */
  #nameOf(slot: Slot, start: Start, clients: number): string {
    if (this.#users.length === 0) {
      this.#users = Array.from({ length: clients }, (_, i) => `user${i + 1}`)
      if (clients > 1 && chanceOf(start).chance(0.25)) this.#users.pop()
    }
    return this.#users[(slot - 1) % this.#users.length]!
  }

  client(slot: Slot, start: Start, dial: (to: Slot) => void, sizes: Sizes): Machine {
    const { processing, clients } = sizes
    const name = this.#nameOf(slot, start, clients)
    this.#held ??= heldIn(this.#users, start)
    const [users, held, contacts, streams] = [
      ...([this.#users, this.#held, this.#contacts, this.#streams] as const),
    ]
    const world = { users, held, contacts, streams, processing, busy: () => this.busy, dial }
    return new Client(name, start, world, this.#passwords)
  }

  settled(cluster: Cluster): boolean {
    const clients = cluster.clients.map((host) => host.machine as Client | null)
    return clients.every((client) => client?.settled ?? false) && this.#streamsEnded(cluster)
  }

  /** Nobody sends any more, so every stream is idle, unless the time of orders stands still. */
  #streamsEnded({ processing, history }: Cluster): boolean {
    if (!this.#limits || this.#limits.streamIdleMs > SHORT_IDLE_MS) return true
    if (processing.some(({ wall }) => wall < history.committed.fence.time)) return true
    return processing.every((host) => host.machine?.metrics()['troca_streams'] === 0)
  }
}

/**
 * The users whose clients hold their keys: all of them in a quarter of the runs, every second one
 * in another quarter. The choice costs no random number.
 */
function heldIn(users: readonly string[], { boot }: Start): ReadonlySet<string> {
  const every = [1, 2][Number.parseInt(boot.slice(-1), 16) & 3]
  return new Set(every === undefined ? [] : users.filter((_, i) => i % every === 0))
}

function chanceOf({ entropy }: Start): Random {
  return new Random(Buffer.from(entropy(4)).readUInt32BE())
}
