// A replica stopped with SIGSTOP is no longer heard and does not know it. When it goes on it must
// find out before it says anything: whatever it acknowledges, then or before, is not lost.

import t from 'tap'
import type { Test } from 'tap'
import { Cluster } from './cluster.js'
import { Load } from './load.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender before and during a pause. */
const STRETCH = 100

/** The others of its tier live without it: no longer in their ring, or in their view. */
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

t.test('the coordinator is paused, others take over, it goes on', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await cluster.register('dave')
  for (let i = 0; i < 2; i++) {
    await traffic.more(STRETCH)
    const coordinator = await cluster.coordinator()
    // These clients know no other replica: what they sent lies in its sockets while it is paused,
    // and it reads it as the first thing when it goes on.
    const client = await cluster.logIn('dave', coordinator)
    const captive = traffic.add(new Load(client, 'alice', `dave-${coordinator.name}`))
    captive.start()
    await captive.more(STRETCH)
    await pauseAndContinue(t, cluster, traffic, coordinator)
    t.not(await cluster.coordinator(), coordinator, 'who was paused deposes nobody')
    await captive.more(STRETCH)
    await captive.stop()
  }
  await traffic.verify(t)
})

t.test('the holder of the turn is paused', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  for (let i = 0; i < 2; i++) {
    await traffic.more(STRETCH)
    await pauseAndContinue(t, cluster, traffic, await cluster.holder())
  }
  await traffic.verify(t)
})

t.test('followers of both tiers are paused', async (t) => {
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
