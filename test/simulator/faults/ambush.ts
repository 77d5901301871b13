// Faults that wait for a moment: a message of one kind has just been said, and then something
// happens to one of the two, or to the path between them. Chance alone hardly ever hits these.

import type { MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Host } from '../host.js'
import type { Random } from '../random.js'
import { lose, spared } from './files.js'
import { kill } from './processes.js'
import type { Fault, Strike } from './strike.js'

const MOMENTS: readonly MessageName[] = [
  ...(['REQUEST', 'REPLY', 'REPLICATE', 'ACK', 'COMMIT', 'ACTIVE'] as const),
  ...(['PREPARE', 'PROMISE', 'INSTALL', 'INSTALLED', 'JOIN', 'PULLED', 'LAST_IS'] as const),
  ...(['CLAIM', 'CLAIMED', 'APPEND', 'APPENDED', 'FENCED', 'ENTRIES'] as const),
  ...(['ELECTION', 'COORDINATOR', 'ORDER', 'VOTE', 'COMMITTED', 'PASS'] as const),
]

/** What counts for something, or makes it count. */
const VOTES: readonly MessageName[] = ['PROMISE', 'ACK', 'LAST_IS', 'INSTALLED']

type Deed = (strike: Strike, from: Host, to: Host) => void

function loseIfSpared(strike: Strike, host: Host): void {
  if (host.disk && spared(strike.cluster, host.disk)) lose(strike, host)
}

function reset({ network }: Cluster, from: Host, to: Host): void {
  const between = network.connections.find(({ ends }) =>
    ends.every(({ host }) => host === from || host === to),
  )
  if (between) network.sever(between)
}

const DEEDS: Readonly<Record<string, Deed>> = {
  'the sender dies': (strike, from) => kill(strike, from),
  'the receiver dies': (strike, _from, to) => kill(strike, to),
  'the sender loses its file': (strike, from) => loseIfSpared(strike, from),
  'the receiver loses its file': (strike, _from, to) => loseIfSpared(strike, to),
  'the receiver stands still'({ random, later }, _from, to) {
    if (!to.running) return
    to.pause()
    later(random.spread(50, 4_000), () => to.resume())
  },
  'the connection is reset': ({ cluster }, from, to) => reset(cluster, from, to),
  // Its old life's words are there before, and those of the others come after the new one's first.
  'the sender comes back as another'(strike, from, to) {
    const { cluster, random, later, restart } = strike
    const { disk } = from
    if (!disk || !spared(cluster, disk)) return
    from.crash()
    disk.lose()
    later(random.spread(2, 50), () => restart(from))
    for (const other of cluster.persistence.filter((host) => host !== from && host !== to)) {
      cluster.network.block(other, to)
      later(random.spread(50, 1_500), () => cluster.network.unblock(other, to))
    }
  },
  'the path is cut'({ cluster, random, later }, from, to) {
    const { network } = cluster
    network.block(from, to)
    later(random.spread(100, 4_000), () => network.unblock(from, to))
  },
}

/** After the storm, a few connections end right after something was said. */
export function lastBlows(cluster: Cluster, random: Random): void {
  for (let i = random.between(1, 4); i > 0; i--) {
    const delay = random.float()
    cluster.trap(random.pick(MOMENTS), (from, to) => {
      cluster.timeline.after(delay, () => reset(cluster, from, to))
    })
  }
}

export const ambush: Fault = {
  every: 800,
  strike(strike) {
    const { cluster, random, tell, later } = strike
    const deed = random.pick(Object.keys(DEEDS))
    const ofFiles = deed.includes('file') || deed.includes('another')
    const moment = random.pick(ofFiles && random.chance(0.8) ? VOTES : MOMENTS)
    const delay = random.chance(0.5) ? 0 : random.exponential(5)
    cluster.trap(moment, (from, to) => {
      later(delay, () => {
        tell(`${from.name} has said ${moment} to ${to.name}: ${deed}`)
        DEEDS[deed]!(strike, from, to)
      })
    })
  },
}
