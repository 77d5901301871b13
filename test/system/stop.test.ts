// SIGTERM under load: a replica hands over and exits with 0, and no client sees an error.

import t from 'tap'
import { Cluster } from './cluster.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender between two stops. */
const STRETCH = 100

t.test('each replica stops on SIGTERM in turn', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  for (const replica of cluster.replicas) {
    await traffic.more(STRETCH)
    const leads = replica === (await cluster.coordinator())
    const holds = replica === (await cluster.holder())
    const stoppedAt = performance.now()
    t.equal(await replica.stop(), 0, `${replica.name} ends with 0`)
    const tookMs = Math.round(performance.now() - stoppedAt)
    await traffic.more(STRETCH)
    const gapMs = traffic.gapSince(stoppedAt)
    replica.start()
    await cluster.untilCaughtUp(replica)
    const who = `${replica.name}${leads ? ', coordinator' : ''}${holds ? ', turn' : ''}`
    t.comment(`${who}: gone after ${tookMs} ms, longest gap ${gapMs} ms`)
  }
  await traffic.verify(t)
})

t.test('all replicas stop on SIGTERM at once, and start again', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await traffic.more(STRETCH)
  const codes = await Promise.all(cluster.replicas.map((replica) => replica.stop()))
  t.same(new Set(codes), new Set([0]))
  for (const replica of cluster.replicas) replica.start()
  await traffic.more(STRETCH)
  await traffic.verify(t)
})
