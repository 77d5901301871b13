// Streams on real daemons: a client that leaves in good order leaves none open, and a client that
// opens as many as it can keeps nobody from sending.

import t from 'tap'
import { Stranger } from '../flood/stranger.js'
import { Cluster, PASSWORD } from './cluster.js'

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

t.test('a user that opens streams without end fills no replica, and others send', async (t) => {
  const most = 16
  const settings = { limits: { keyBits: 2_048, openStreams: most } }
  const cluster = await Cluster.start(t, { processing: 3, persistence: 3, settings })
  const bob = await cluster.register('bob')
  await (await cluster.register('mallory')).close()
  const { place } = await cluster.coordinator()
  let [opened, loggedIn] = [0, false]
  const stop = new AbortController()
  const open = (stranger: Stranger): void => {
    const token = Buffer.alloc(16)
    token.writeUInt32BE(opened)
    stranger.say({ type: 'OPEN_STREAM', request: stranger.nextRequest(), token })
  }
  const target = { port: place.port, from: '127.0.0.1', stopped: stop.signal }
  const mallory = await Stranger.open(target, (message, self) => {
    if (message.type === 'SESSION') {
      loggedIn = true
      for (let i = 0; i < 64; i++) open(self)
    }
    if (message.type !== 'STREAM_OPENED') return
    opened++
    open(self)
  })
  t.teardown(() => mallory?.destroy())
  const log = { name: 'mallory', password: PASSWORD }
  mallory!.say({ type: 'LOGIN', request: mallory!.nextRequest(), ...log })
  await cluster.until('mallory is logged in', async () => (loggedIn ? true : null))
  const sent = Array.from({ length: 20 }, (_, i) => bob.send('bob', `${i}`))
  await Promise.all(sent)
  await cluster.until('it has opened many streams', async () => (opened > 1_500 ? true : null))
  mallory!.destroy()
  await cluster.untilSettled()
  for (const replica of cluster.processing) {
    const metrics = await replica.metrics()
    t.equal(metrics['troca_streams'], most + 1, replica.name)
    t.ok(metrics['troca_stream_answer_bytes']! < 100_000)
  }
  t.match(await cluster.audit(), { agree: true })
})
