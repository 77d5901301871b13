// A replica stopped with SIGSTOP falls silent without knowing it. After SIGCONT the replica must
// notice that it was replaced before it acknowledges anything: no acknowledged message may be lost.

import t from 'tap'
import type { Test } from 'tap'
import { Cluster } from './cluster.js'
import { Load } from './load.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender before and during a pause. */
const STRETCH = 100

/** Waits until the other replicas of the tier have removed it from their ring or view. */
async function untilLeftOut(cluster: Cluster, { name, isPersistence }: Replica): Promise<void> {
  const others = isPersistence ? cluster.persistence : cluster.processing
  const [word, line] = isPersistence ? ['view', 'members'] : ['ring', 'live']
  for (const other of others.filter((one) => one.name !== name)) {
    await cluster.until(`${other.name} leaves ${name} out`, async () => {
      const listed = await other.line(word!, line!)
      return listed !== undefined && !listed.includes(name) ? true : null
    })
  }
}

async function pauseAndContinue(
  t: Test,
  cluster: Cluster,
  traffic: Traffic,
  replica: Replica,
): Promise<void> {
  const pausedAt = performance.now()
  replica.pause()
  await untilLeftOut(cluster, replica)
  await traffic.more(STRETCH)
  const gapMs = traffic.gapSince(pausedAt)
  const continuedAt = performance.now()
  replica.resume()
  await cluster.untilCaughtUp(replica)
  const backMs = Math.round(performance.now() - continuedAt)
  t.comment(`${replica.name}: longest gap ${gapMs} ms, caught up ${backMs} ms after it went on`)
}

t.test('a paused coordinator is replaced, and deposes nobody when it resumes', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await cluster.register('dave')
  for (let i = 0; i < 2; i++) {
    await traffic.more(STRETCH)
    const coordinator = await cluster.coordinator()
    // These clients know no other replica. Their sends wait in the paused replica's sockets, and
    // the replica reads them first when it resumes.
    const client = await cluster.logIn('dave', coordinator)
    const captive = traffic.add(new Load(client, 'alice', `dave-${coordinator.name}`))
    captive.start()
    await captive.more(STRETCH)
    await pauseAndContinue(t, cluster, traffic, coordinator)
    t.not(await cluster.coordinator(), coordinator, 'the paused replica deposes nobody')
    await captive.more(STRETCH)
    await captive.stop()
  }
  await traffic.verify(t)
})

t.test('a paused turn holder is replaced', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  for (let i = 0; i < 2; i++) {
    await traffic.more(STRETCH)
    await pauseAndContinue(t, cluster, traffic, await cluster.holder())
  }
  await traffic.verify(t)
})

t.test('paused followers of both tiers catch up', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await traffic.more(STRETCH)
  const busy = [await cluster.coordinator(), await cluster.holder()]
  for (const tier of [cluster.processing, cluster.persistence]) {
    const follower = tier.find((replica) => !busy.includes(replica))!
    await traffic.more(STRETCH)
    await pauseAndContinue(t, cluster, traffic, follower)
  }
  await traffic.verify(t)
})
