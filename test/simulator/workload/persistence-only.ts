// Persistence replicas alone, with scripted writers in place of the processing tier.

import type { Machine } from '../../../protocol/machine/machine.js'
import { PersistenceReplica } from '../../../protocol/replicas/persistence.js'
import type { PersistenceConfig } from '../../../protocol/machine/config.js'
import type { Cluster } from '../cluster.js'
import type { Setting } from '../setting.js'
import type { Start } from '../host.js'
import type { Workload } from '../simulation.js'
import { Writer } from './writer.js'

export class PersistenceOnly implements Workload {
  busy = true
  /** Room for 64 unanswered entries of one writer, and for others' marks while these wait. */
  readonly leastTail = 192
  readonly #build: (config: PersistenceConfig) => Machine

  constructor(build = (config: PersistenceConfig): Machine => new PersistenceReplica(config)) {
    this.#build = build
  }

  persistence(config: PersistenceConfig): Machine {
    return this.#build(config)
  }

  processing(slot: number, start: Start, { sizes }: Pick<Setting, 'sizes'>): Machine {
    return new Writer(slot, start, sizes.persistence, () => this.busy)
  }

  settled(cluster: Cluster): boolean {
    return cluster.processing.every((host) => {
      const writer = host.machine as Writer | null
      return writer?.idle === true && writer.applied === cluster.history.committed.index
    })
  }
}
