// The debug ports of live replicas: the words that `help` lists.

import t from 'tap'
import { Cluster } from './cluster.js'
import { WORDS } from './debug-words.js'

t.setTimeout(180_000)

t.test('help lists every word of the debug port, on both tiers', async (t) => {
  const cluster = await Cluster.start(t)
  for (const replica of [cluster.processing[0]!, cluster.persistence[0]!]) {
    const help = await replica.ask('help')
    const listed = [...help.matchAll(/^([a-z]{3,}) {2,}/gm)].map(([, word]) => word)
    t.same(listed, WORDS.filter((word) => word !== 'clok').sort(), replica.name)
  }
})
