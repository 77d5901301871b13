// One strike of a fault. It draws from a stream of its own, so that leaving another strike out
// does not change what this one does.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import type { Random } from '../random.js'

export interface Strike {
  readonly cluster: Cluster
  readonly random: Random
  /** The same numbers for every strike of a run. */
  readonly theme: Random
  /** Says what was done, in words. A strike that finds nothing to do says nothing. */
  readonly tell: (what: string) => void
  /** Nothing of a fault happens once faults are over. */
  readonly later: (delay: number, run: () => void) => void
  readonly restart: (host: Host) => void
}

export interface Fault {
  /** Mean milliseconds between two strikes where the swarm neither slows nor hurries it. */
  readonly every: number
  /** Breaks the fault model: only in runs that are meant to go beyond it. */
  readonly beyond?: true
  strike(strike: Strike): void
}

/** How many messages of a kind are looked at for the one that is waited for. */
const LOOKS = 20

/** `meant`: whether it is the one that is waited for. */
export function whenSaid(
  cluster: Cluster,
  moment: MessageName,
  meant: (from: Host, to: Host, message: Message) => boolean,
  looks = LOOKS,
): void {
  cluster.trap(moment, (from, to, message) => {
    if (!meant(from, to, message) && looks > 1) whenSaid(cluster, moment, meant, looks - 1)
  })
}
