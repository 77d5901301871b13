// The liveness half of a run (after TigerBeetle's): a core of replicas is whole, and the faults of
// the others are permanent. The core must not need the others, nor be disturbed by them.

import type { Cluster } from './cluster.js'
import { spared } from './faults/files.js'
import type { Host } from './host.js'
import type { Random } from './random.js'

function leads({ machine }: Host): boolean {
  return machine !== null && 'term' in machine && machine.term !== 0
}

/** A majority or more of the files that count, one or more processing replicas, all clients. */
export function chooseCore(cluster: Cluster, random: Random): Host[] {
  const { persistence, processing, clients } = cluster
  const majority = Math.floor(persistence.length / 2) + 1
  const order = random.shuffled(persistence)
  const sound = order.filter((host) => host.disk!.sound)
  const others = order.filter((host) => !host.disk!.sound)
  const stores = [...sound, ...others].slice(0, random.between(majority, persistence.length))
  // The coordinator often stays outside, with everything that it holds.
  const followers = processing.filter((host) => !leads(host))
  const chosen = followers.length > 0 && random.chance(0.5) ? followers : processing
  const serving = random.shuffled(chosen).slice(0, random.between(1, chosen.length))
  return [...stores, ...serving, ...clients]
}

/** Replicas outside the core begin again without their files, where the fault model allows it. */
export function blank(cluster: Cluster, core: readonly Host[]): void {
  for (const host of cluster.persistence.filter((one) => !core.includes(one))) {
    if (!spared(cluster, host.disk!)) continue
    host.crash()
    host.disk!.lose()
    cluster.start(host)
  }
}

/** Restarts the persistence replicas of the core, so that none of them is in a view. */
export function restart(cluster: Cluster, core: readonly Host[]): void {
  const stores = core.filter(({ role }) => role === 'persistence')
  for (const host of stores) host.crash()
  for (const host of stores) cluster.start(host)
}

/** Probability that the path to a member of the core is cut for good, and that of the path back. */
type Way = readonly [to: number, back: number]

const OPEN: Way = [0, 0]
const CUT: Way = [1, 1]
/** MUTE hears the others, who do not hear it; DEAF is the opposite. */
const MUTE: Way = [1, 0]
const DEAF: Way = [0, 1]

const inTier = (own: Way, other: Way) => {
  return (host: Host, member: Host): Way => (host.role === member.role ? own : other)
}

const WAYS: Readonly<Record<string, (host: Host, member: Host) => Way>> = {
  'as it is': () => OPEN,
  dead: () => OPEN,
  'cut off': () => CUT,
  'half cut off': () => [0.5, 0.5],
  'cut off from its tier': inTier(CUT, OPEN),
  'cut off but from its tier': inTier(OPEN, CUT),
  'deaf but to its tier': inTier(OPEN, DEAF),
  'mute but to its tier': inTier(OPEN, MUTE),
}

/**
 * Every replica outside the core is dead, paused, cut off, or reaches parts of the core in some
 * directions.
 */
export function isolate(
  cluster: Cluster,
  core: readonly Host[],
  random: Random,
  tell: (host: Host, how: string) => void,
): void {
  const { network } = cluster
  const known = random.chance(0.3) ? random.pick(core) : null
  // A replica that is half cut off disturbs most.
  const any = (): string => (random.chance(0.4) ? 'half cut off' : random.pick(Object.keys(WAYS)))
  // Outsiders of one tier reach each other: cut off alike, they are a part that goes on by itself.
  const alike = random.chance(0.4) ? { processing: any(), persistence: any(), client: '' } : null
  for (const host of cluster.replicas.filter((one) => !core.includes(one))) {
    const how = known?.role === host.role ? 'cut off' : (alike?.[host.role] ?? any())
    tell(host, how)
    if (how === 'dead') host.crash()
    // The outsiders of a tier may all reach one and the same member, which then belongs to both
    // halves.
    for (const member of core.filter((one) => one !== known)) {
      const [to, back] = WAYS[how]!(host, member)
      if (random.chance(to)) network.block(host, member)
      if (random.chance(back)) network.block(member, host)
    }
  }
}
