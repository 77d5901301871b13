// Three persistence replicas and two writers on the simulator's virtual time, without any fault but
// those that a scenario makes itself. All the simulator's checkers watch.

import type { Host } from '../simulator/host.js'
import { Cluster } from '../simulator/cluster.js'
import { turnView, type TurnView } from '../simulator/checks/check.js'
import { Transcript } from '../simulator/transcript.js'
import { PersistenceOnly } from '../simulator/workload/persistence-only.js'

const PATIENCE_MS = 60_000

export class MiniCluster {
  readonly cluster: Cluster
  /** "s1 → s2 PREPARE 1.1", of the view change. */
  readonly heard: string[] = []
  readonly #workload = new PersistenceOnly()

  constructor(seed: number) {
    const sizes = { processing: 2, persistence: 3, clients: 0 }
    const transcript = new Transcript(false, () => {})
    const setting = { seed, sizes, wire: true, latency: 0.5 }
    this.cluster = new Cluster(setting, this.#workload, transcript)
    this.cluster.checks.push({
      delivered: (from, to, message) => {
        if (!('epoch' in message) || !('installed' in message)) return
        const { counter, slot } = message.epoch
        this.heard.push(`${from.name} → ${to.name} ${message.type} ${counter}.${slot}`)
      },
    })
    for (const host of this.cluster.hosts) this.cluster.start(host)
  }

  store(slot: number): Host {
    return this.cluster.persistence[slot - 1]!
  }

  view(slot: number): TurnView | null {
    return turnView(this.store(slot))
  }

  get holder(): Host | undefined {
    return this.cluster.persistence.find((host) => turnView(host)?.holdsTurn)
  }

  get committed(): number {
    return this.cluster.history.committed.index
  }

  /** Lets time go by until it is so; false: it has not become so within a minute. */
  until(so: () => boolean): boolean {
    const end = this.cluster.timeline.now + PATIENCE_MS
    while (!so()) {
      if (this.cluster.timeline.now > end || !this.cluster.timeline.step()) return false
    }
    return true
  }

  /** Lets so much time go by. */
  pass(ms: number): void {
    const end = this.cluster.timeline.now + ms
    this.until(() => this.cluster.timeline.now >= end)
  }

  untilCommitted(more: number): boolean {
    const goal = this.committed + more
    return this.until(() => this.committed >= goal)
  }

  isolate(host: Host): void {
    for (const other of this.cluster.hosts) {
      if (other === host) continue
      this.cluster.network.block(host, other)
      this.cluster.network.block(other, host)
    }
  }

  heal(): void {
    this.cluster.network.heal()
  }
}
