// kill -9 under load: each replica in turn, and all at once. No acknowledged message is lost,
// doubled or out of order, and every replica recovers by itself.

import t from 'tap'
import type { Test } from 'tap'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender between two faults. */
const STRETCH = 100

/** Kills a replica, lets the others serve, restarts it, and reports how long each step took. */
async function killAndRestart(
  t: Test,
  cluster: Cluster,
  traffic: Traffic,
  replica: Replica,
  what = '',
): Promise<void> {
  const killedAt = performance.now()
  await replica.kill()
  await traffic.more(STRETCH)
  const gapMs = traffic.gapSince(killedAt)
  const startedAt = performance.now()
  replica.start()
  await cluster.untilCaughtUp(replica)
  const backMs = Math.round(performance.now() - startedAt)
  t.comment(
    `${replica.name}${what}: longest gap ${gapMs} ms, caught up ${backMs} ms after its start`,
  )
}

t.test('the cluster survives kill -9 of each replica in turn', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  for (const replica of cluster.replicas) {
    await traffic.more(STRETCH)
    const leads = replica === (await cluster.coordinator())
    const holds = replica === (await cluster.holder())
    const what = `${leads ? ', coordinator' : ''}${holds ? ', turn' : ''}`
    await killAndRestart(t, cluster, traffic, replica, what)
  }
  await traffic.verify(t)
})

t.test('the cluster survives kill -9 of the coordinator and of the turn holder', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  for (const find of [() => cluster.coordinator(), () => cluster.holder()]) {
    await traffic.more(STRETCH)
    await killAndRestart(t, cluster, traffic, await find())
  }
  await traffic.verify(t)
})

t.test('the cluster survives kill -9 of all six replicas at once', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await traffic.more(STRETCH)
  const killedAt = performance.now()
  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await traffic.more(STRETCH)
  t.comment(`all six: longest gap ${traffic.gapSince(killedAt)} ms`)
  await traffic.verify(t)
})
