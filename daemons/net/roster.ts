// Where each replica is, and which identity it has now. Both may change while this replica runs, when
// people replace another one. Invariant: only the newest generation of a slot is accepted.

import { nameOf, uriOf, type Replica } from './identity.js'
import type { Address } from './dialler.js'

export class Roster {
  readonly #clusterId: string
  #replicas: ReadonlyMap<string, Replica & Address>

  constructor(clusterId: string, replicas: readonly (Replica & Address)[]) {
    this.#clusterId = clusterId
    this.#replicas = byName(replicas)
  }

  /** The URI that the certificate of this slot must carry. */
  uriOf(replica: Replica): string {
    const { role, slot } = replica
    const { generation = 1 } = this.#replicas.get(nameOf(replica)) ?? {}
    return uriOf(this.#clusterId, { role, slot, generation })
  }

  addressOf(replica: Replica): Address {
    const { host, port } = this.#replicas.get(nameOf(replica))!
    return { host, port }
  }

  /** Takes up another list of the same slots; gives the names of replicas that are others now. */
  update(replicas: readonly (Replica & Address)[]): string[] {
    const before = this.#replicas
    const now = byName(replicas)
    const names = [...before.keys()]
    // Other slots are another cluster: that needs a restart of all replicas.
    if (now.size !== before.size || names.some((name) => !now.has(name))) return []
    this.#replicas = now
    return names.filter((name) => !same(before.get(name)!, now.get(name)!))
  }
}

function byName(replicas: readonly (Replica & Address)[]): Map<string, Replica & Address> {
  return new Map(replicas.map((replica) => [nameOf(replica), replica]))
}

function same(a: Replica & Address, b: Replica & Address): boolean {
  return a.host === b.host && a.port === b.port && (a.generation ?? 1) === (b.generation ?? 1)
}
