// A persistence replica that lost its file, or whose file was rolled back, starts a new
// incarnation. It is a learner first, and the promises of its old incarnation do not count; then it
// is a member again, with an equal log.

import { copyFileSync, existsSync, rmSync } from 'node:fs'
import t from 'tap'
import type { Test } from 'tap'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender between two faults. */
const STRETCH = 100
/** Suffixes of the files that make up one store. */
const PARTS = ['', '-wal', '-shm']

function removeFile({ place }: Replica): void {
  for (const part of PARTS) rmSync(`${place.data}${part}`, { force: true })
}

/** Copies the store of a replica that does not run. */
function copyFile(from: string, to: string): void {
  for (const part of PARTS) {
    rmSync(`${to}${part}`, { force: true })
    if (existsSync(`${from}${part}`)) copyFileSync(`${from}${part}`, `${to}${part}`)
  }
}

async function untilNewIncarnation(
  t: Test,
  cluster: Cluster,
  replica: Replica,
  counter: number,
): Promise<void> {
  const startedAt = performance.now()
  replica.start()
  await cluster.until(`${replica.name} is in its incarnation ${counter}`, async () => {
    return (await replica.line('view', 'incarnation')) === String(counter) ? true : null
  })
  await cluster.untilCaughtUp(replica)
  t.equal(await replica.line('view', 'status'), 'normal')
  t.match(await replica.line('view', 'members'), replica.name)
  const tookMs = Math.round(performance.now() - startedAt)
  t.comment(`${replica.name}: a member again ${tookMs} ms after its start`)
}

t.test('a replica whose file was deleted becomes a member again', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  // First a replica without the turn, then the turn holder, then the first again.
  const holder = await cluster.holder()
  const follower = cluster.persistence.find((replica) => replica !== holder)!
  for (const [replica, counter] of [
    [follower, 2],
    [holder, 2],
    [follower, 3],
  ] as const) {
    await traffic.more(STRETCH)
    await replica.kill()
    removeFile(replica)
    await traffic.more(STRETCH)
    await untilNewIncarnation(t, cluster, replica, counter)
  }
  await traffic.verify(t)
})

t.test('a replica whose file was rolled back becomes a member again', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await traffic.more(STRETCH)
  const replica = cluster.persistence[1]!
  const copy = `${replica.place.data}.copy`
  await replica.kill()
  copyFile(replica.place.data, copy)
  replica.start()
  await cluster.untilCaughtUp(replica)
  await traffic.more(STRETCH)
  await replica.kill()
  copyFile(copy, replica.place.data)
  await untilNewIncarnation(t, cluster, replica, 2)
  await traffic.verify(t, ['file-rolled-back'])
})
