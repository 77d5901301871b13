// Whole clusters: both tiers as they are, and virtual users.

import type { Machine, Slot } from '../../../protocol/machine.js'
import { LIMITS, TIMINGS, type ProcessingConfig } from '../../../protocol/replicas/config.js'
import type { PersistenceConfig } from '../../../protocol/replicas/config.js'
import { PersistenceReplica } from '../../../protocol/replicas/persistence.js'
import { ProcessingReplica } from '../../../protocol/replicas/processing.js'
import { CLUSTER_ID, type Cluster, type Sizes } from '../cluster.js'
import { readKey, seal } from '../compute.js'
import type { Start } from '../host.js'
import type { Workload } from '../simulation.js'
import { Client, userOf } from './client.js'

export interface Builders {
  readonly persistence: (config: PersistenceConfig) => Machine
  readonly processing: (config: ProcessingConfig) => Machine
}

export const PRODUCT: Builders = {
  persistence: (config) => new PersistenceReplica(config),
  processing: (config) => new ProcessingReplica(config),
}

export class Whole implements Workload {
  busy = true
  readonly #builders: Builders
  readonly #wrong = new Set<Slot>()

  constructor(builders = PRODUCT) {
    this.#builders = builders
  }

  persistence(config: PersistenceConfig): Machine {
    return this.#builders.persistence(config)
  }

  processing(slot: Slot, start: Start, sizes: Sizes): Machine {
    return this.#builders.processing({
      clusterId: CLUSTER_ID,
      self: slot,
      slots: sizes.processing,
      stores: sizes.persistence,
      boot: start.boot,
      entropy: start.entropy,
      timings: TIMINGS,
      limits: { ...LIMITS, queuedCommands: 64, computations: 8 },
      seal: (input) =>
        seal(this.#wrong.has(slot) ? { ...input, text: `${input.text}, wrong at ${slot}` } : input),
      readKey,
    })
  }

  /** From now on, or not any more, this replica computes wrong bytes. */
  corrupt(slot: Slot, wrong: boolean): void {
    if (wrong) this.#wrong.add(slot)
    else this.#wrong.delete(slot)
  }

  client(slot: Slot, start: Start, dial: (to: Slot) => void, sizes: Sizes): Machine {
    const users = Array.from({ length: sizes.clients }, (_, i) => userOf(i + 1))
    const { processing } = sizes
    return new Client(slot, start, { users, processing, busy: () => this.busy, dial })
  }

  settled(cluster: Cluster): boolean {
    return cluster.clients.every((host) => (host.machine as Client).settled)
  }
}
