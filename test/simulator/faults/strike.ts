// One strike of a fault. It draws from a random stream of its own, so that leaving another strike
// out does not change it.

import type { Message, MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import type { Random } from '../random.js'

export interface Strike {
  readonly cluster: Cluster
  readonly random: Random
  /** A stream that gives the same numbers to every strike of a run. */
  readonly theme: Random
  /** Says what the strike did. A strike without effect says nothing. */
  readonly tell: (what: string) => void
  /** Schedules a part of the strike; it does not run once faults are over. */
  readonly later: (delay: number, run: () => void) => void
  readonly restart: (host: Host) => void
}

export interface Fault {
  /** Mean milliseconds between two strikes, before the swarm changes the rate. */
  readonly every: number
  /** The fault breaks the fault model: it strikes only in runs of mode `beyond`. */
  readonly beyond?: true
  strike(strike: Strike): void
}

/** Number of messages of a kind that are looked at for the one that is meant. */
const LOOKS = 20

/** Runs `meant` on messages of a kind until it accepts one. */
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
