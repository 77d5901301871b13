// A processing replica begins with its snapshot: after an orderly stop, after kill -9, and without a
// file that can be used.

import { rmSync, writeFileSync } from 'node:fs'
import t from 'tap'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'
import { Traffic } from './verify.js'

t.setTimeout(280_000)

/** Acknowledgements of each sender between two stops. */
const STRETCH = 100

const loaded = (replica: Replica): number[] =>
  replica
    .log()
    .filter(({ event }) => event === 'snapshot-loaded')
    .map((line) => Number((line as { readonly index?: number }).index))

async function untilSaved(cluster: Cluster, replica: Replica, index: number): Promise<void> {
  await cluster.until(`${replica.name} has saved entry ${index}`, async () => {
    const { troca_snapshot_index: saved = 0 } = await replica.metrics()
    return saved >= index ? true : null
  })
}

t.test('a replica begins with its snapshot', async (t) => {
  const cluster = await Cluster.start(t)
  const traffic = await Traffic.start(cluster)
  await traffic.more(STRETCH)
  const [p1, p2, p3] = cluster.processing as [Replica, Replica, Replica]
  const { troca_applied_index: applied = 0 } = await p1.metrics()
  t.equal(await p1.stop(), 0)
  p1.start()
  await cluster.untilCaughtUp(p1)
  const [first = 0] = loaded(p1)
  t.ok(first >= applied, 'a drained replica has saved what it had applied')

  await untilSaved(cluster, p2, applied)
  await p2.kill()
  await traffic.more(STRETCH)
  p2.start()
  await cluster.untilCaughtUp(p2)
  const [second = 0] = loaded(p2)
  t.ok(second >= applied, 'a killed replica has its last save')

  await untilSaved(cluster, p3, applied)
  await p3.kill()
  writeFileSync(p3.place.data, 'no database '.repeat(1_000))
  rmSync(`${p3.place.data}-wal`, { force: true })
  p3.start()
  await cluster.untilCaughtUp(p3)
  t.same(loaded(p3), [])
  t.ok(
    p3.log().some(({ event }) => event === 'snapshot-removed'),
    'a file that is none is replaced',
  )
  await untilSaved(cluster, p3, applied)
  await traffic.more(STRETCH)
  await traffic.verify(t, ['snapshot-removed'])
})
