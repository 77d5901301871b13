// The liveness half of a run (after TigerBeetle's): a core that is enough is whole, and whatever is
// wrong with the others is wrong for good. The core must not need them, nor be disturbed by them.

import type { Cluster } from './cluster.js'
import type { Host } from './host.js'
import type { Random } from './random.js'

/** A majority of the files that count or more, one processing replica or more, all clients. */
export function chooseCore(cluster: Cluster, random: Random): Host[] {
  const { persistence, processing, clients } = cluster
  const majority = Math.floor(persistence.length / 2) + 1
  const order = random.shuffled(persistence)
  const sound = order.filter((host) => host.disk!.sound)
  const others = order.filter((host) => !host.disk!.sound)
  const stores = [...sound, ...others].slice(0, random.between(majority, persistence.length))
  const serving = random.shuffled(processing).slice(0, random.between(1, processing.length))
  return [...stores, ...serving, ...clients]
}

/** Each of the others is dead, stands still, cut off, or reaches some of the core some ways. */
export function isolate(
  cluster: Cluster,
  core: readonly Host[],
  random: Random,
  tell: (host: Host, how: string) => void,
): void {
  const { network } = cluster
  for (const host of cluster.replicas.filter((one) => !core.includes(one))) {
    const how = random.pick(['as it is', 'dead', 'cut off', 'half cut off'])
    tell(host, how)
    if (how === 'dead') host.crash()
    const likely = how === 'cut off' ? 1 : how === 'half cut off' ? 0.5 : 0
    for (const member of core) {
      if (random.chance(likely)) network.block(host, member)
      if (random.chance(likely)) network.block(member, host)
    }
  }
}
