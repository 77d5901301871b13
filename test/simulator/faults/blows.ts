// Faults that strike once the storm is over, while a cluster comes to rest.

import type { MessageName } from '../../../protocol/messages/catalogue.js'
import type { Cluster } from '../cluster.js'
import type { Random } from '../random.js'
import { sever } from './paths.js'

/** Messages that are sent while a cluster comes to rest. */
const LAST_MOMENTS: readonly MessageName[] = [
  ...(['ASK', 'CONSENT', 'PREPARE', 'PROMISE', 'INSTALL', 'INSTALL', 'INSTALLED'] as const),
  ...([
    'INSTALLED',
    'ACTIVE',
    'ACTIVE',
    'JOIN',
    'PULL',
    'PULLED',
    'REQUEST',
    'REPLY',
    'REPLICATE',
    'ACK',
    'COMMIT',
  ] as const),
  ...(['CLAIM', 'CLAIMED', 'ELECTION', 'COORDINATOR', 'ORDER', 'VOTE', 'APPENDED'] as const),
]

/** Milliseconds after which every blow of `lastBlows` is over. */
export const LAST_BLOWS_MS = 3_500

/**
 * After the storm a few connections end right after a message; one or two processes end, and one
 * may be paused for so long that the others go on without it.
 */
export function lastBlows(cluster: Cluster, random: Random): void {
  const { timeline, replicas } = cluster
  for (let i = random.between(1, 4); i > 0; i--) {
    const delay = random.float()
    cluster.trap(random.pick(LAST_MOMENTS), (from, to) => {
      timeline.after(delay, () => sever(cluster, from, to))
    })
  }
  for (let i = random.between(0, 2); i > 0; i--) {
    const host = random.pick(replicas)
    timeline.after(random.spread(10, 1_500), () => {
      host.crash()
      timeline.after(random.spread(10, 500), () => {
        if (!host.up) cluster.start(host)
      })
    })
  }
  if (random.chance(0.5)) return
  const host = random.pick(replicas)
  timeline.after(random.spread(10, 500), () => {
    if (!host.running) return
    host.pause()
    timeline.after(random.spread(300, 3_000), () => host.resume())
  })
}
