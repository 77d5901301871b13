// The liveness half of a run (after TigerBeetle's): a core that is enough is whole, and whatever is
// wrong with the others is wrong for good. The core must not need them, nor be disturbed by them.

import type { Cluster } from './cluster.js'
import type { Host } from './host.js'
import type { Random } from './random.js'

function leads({ machine }: Host): boolean {
  return machine !== null && 'term' in machine && machine.term !== 0
}

/** A majority of the files that count or more, one processing replica or more, all clients. */
export function chooseCore(cluster: Cluster, random: Random): Host[] {
  const { persistence, processing, clients } = cluster
  const majority = Math.floor(persistence.length / 2) + 1
  const order = random.shuffled(persistence)
  const sound = order.filter((host) => host.disk!.sound)
  const others = order.filter((host) => !host.disk!.sound)
  const stores = [...sound, ...others].slice(0, random.between(majority, persistence.length))
  // Often without the one that leads: it keeps whatever it holds, out there.
  const followers = processing.filter((host) => !leads(host))
  const chosen = followers.length > 0 && random.chance(0.5) ? followers : processing
  const serving = random.shuffled(chosen).slice(0, random.between(1, chosen.length))
  return [...stores, ...serving, ...clients]
}

/** How likely a path to or from a member of the core is cut for good. */
const WAYS: Readonly<Record<string, (host: Host, member: Host) => number>> = {
  'as it is': () => 0,
  dead: () => 0,
  'cut off': () => 1,
  'half cut off': () => 0.5,
  'cut off from its tier': (host, member) => (host.role === member.role ? 1 : 0),
  'cut off but from its tier': (host, member) => (host.role === member.role ? 0 : 1),
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
    const how = random.pick(Object.keys(WAYS))
    tell(host, how)
    if (how === 'dead') host.crash()
    for (const member of core) {
      const likely = WAYS[how]!(host, member)
      if (random.chance(likely)) network.block(host, member)
      if (random.chance(likely)) network.block(member, host)
    }
  }
}
