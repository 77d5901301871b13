// Clusters with other numbers of replicas than three and three: the smallest, and one whose tiers
// differ.

import t from 'tap'
import { Cluster } from './cluster.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

const STRETCH = 50

t.test('a cluster of one and one works, and loses nothing by kill -9', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  const traffic = await Traffic.start(cluster)
  for (const replica of cluster.replicas) {
    await traffic.more(STRETCH)
    await replica.kill()
    replica.start()
    await cluster.untilCaughtUp(replica)
  }
  await traffic.more(STRETCH)
  await traffic.verify(t)
})

t.test('in a cluster of two and three the other processing replica takes over', async (t) => {
  const cluster = await Cluster.start(t, { processing: 2, persistence: 3 })
  const traffic = await Traffic.start(cluster)
  // The coordinator is killed twice, so that each of the two works alone for a while.
  for (let i = 0; i < 2; i++) {
    await traffic.more(STRETCH)
    const coordinator = await cluster.coordinator()
    const killedAt = performance.now()
    await coordinator.kill()
    await traffic.more(STRETCH)
    t.comment(`${coordinator.name}: longest gap ${traffic.gapSince(killedAt)} ms`)
    coordinator.start()
    await cluster.untilCaughtUp(coordinator)
  }
  await traffic.verify(t)
})
