// Streams on real daemons: a client that leaves in good order leaves none open.

import t from 'tap'
import { Cluster } from './cluster.js'

t.setTimeout(180_000)

t.test('a client that closes has its stream closed, at every replica', async (t) => {
  const cluster = await Cluster.start(t)
  const openStreams = async (): Promise<(number | undefined)[]> =>
    Promise.all(
      cluster.processing.map(async (replica) => (await replica.metrics())['troca_streams']),
    )
  const all = async (wanted: number): Promise<true | null> =>
    (await openStreams()).every((open) => open === wanted) ? true : null
  await cluster.register('alice')
  const bob = await cluster.register('bob')
  const carol = await cluster.register('carol')
  await bob.send('alice', 'one')
  await carol.send('alice', 'two')
  await cluster.until('two streams are open', () => all(2))
  await bob.close()
  await cluster.until('one is closed', () => all(1))
  await carol.send('alice', 'three')
  const back = await cluster.logIn('bob')
  await back.send('alice', 'another stream')
  await cluster.until('the next client has one of its own', () => all(2))
  t.match(await cluster.audit(), { agree: true })
})
