// Clusters of other shapes than three and three: the smallest, and one whose tiers differ.

import t from 'tap'
import { Cluster } from './cluster.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

const STRETCH = 50

t.test('one and one: works, and comes back with everything after kill -9', async (t) => {
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
