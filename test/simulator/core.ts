// The liveness half of a run (after TigerBeetle's): a core that is enough is whole, and whatever is
// wrong with the others is wrong for good. The core must not need them, nor be disturbed by them.

import type { Cluster } from './cluster.js'
import { spared } from './faults/files.js'
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

/** Those of the others that may begin again without their files. */
export function blank(cluster: Cluster, core: readonly Host[]): void {
  for (const host of cluster.persistence.filter((one) => !core.includes(one))) {
    if (!spared(cluster, host.disk!)) continue
    host.crash()
    host.disk!.lose()
    cluster.start(host)
  }
}

/** No view is left of those that were. */
export function restart(cluster: Cluster, core: readonly Host[]): void {
  const stores = core.filter(({ role }) => role === 'persistence')
  for (const host of stores) host.crash()
  for (const host of stores) cluster.start(host)
}

/** How likely the path to a member of the core is cut for good, and the path back. */
type Way = readonly [to: number, back: number]

const OPEN: Way = [0, 0]
const CUT: Way = [1, 1]
/** It hears, and nobody hears it; or the other way round. */
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

/** Each of the others is dead, stands still, cut off, or reaches some of the core some ways. */
export function isolate(
  cluster: Cluster,
  core: readonly Host[],
  random: Random,
  tell: (host: Host, how: string) => void,
): void {
  const { network } = cluster
  const known = random.chance(0.3) ? random.pick(core) : null
  // A replica that is half there disturbs most.
  const any = (): string => (random.chance(0.4) ? 'half cut off' : random.pick(Object.keys(WAYS)))
  // Those of a tier reach each other: alike, they are a part of it that goes on by itself.
  const alike = random.chance(0.4) ? { processing: any(), persistence: any(), client: '' } : null
  for (const host of cluster.replicas.filter((one) => !core.includes(one))) {
    const how = known?.role === host.role ? 'cut off' : (alike?.[host.role] ?? any())
    tell(host, how)
    if (how === 'dead') host.crash()
    // All of a tier may reach one and the same member: two halves that it belongs to both.
    for (const member of core.filter((one) => one !== known)) {
      const [to, back] = WAYS[how]!(host, member)
      if (random.chance(to)) network.block(host, member)
      if (random.chance(back)) network.block(member, host)
    }
  }
}
