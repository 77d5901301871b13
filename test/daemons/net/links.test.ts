// Connections over real TLS: which peers are accepted in which role, order, replacement, bounds.

import t from 'tap'
import type { LinkId } from '../../../protocol/machine/machine.js'
import type { Message } from '../../../protocol/messages/catalogue.js'
import { encodeFrame } from '../../../protocol/wire/frame.js'
import { BarePeer } from './bare-peer.js'
import { credentialsOf, startToy, type Toy } from '../runtime/toy-replica.js'

const P1 = { role: 'processing', slot: 1 } as const
const P2 = { role: 'processing', slot: 2 } as const
const S1 = { role: 'persistence', slot: 1 } as const

const tip = (request: number): Message => ({ type: 'TIP', request })
const status = (request: number): Message => ({ type: 'STATUS', request })
const asked = (toy: Toy): number[] =>
  toy.machine.of('message').map(({ message }) => (message.type === 'TIP' ? message.request : -1))

t.test('two replicas find each other, and each link keeps its order', async (t) => {
  const s1 = await startToy(S1)
  const p1 = await startToy(P1, [{ ...S1, port: s1.port }])
  t.teardown(() => (p1.stop(), s1.stop()))
  const main = await p1.machine.inputs.find(
    (input) => input.type === 'link-up' && lane(input) === 'main',
  )
  const bulk = await p1.machine.inputs.find(
    (input) => input.type === 'link-up' && lane(input) === 'bulk',
  )
  t.match(main, { peer: { ...S1, boot: 'b1', lane: 'main' } })
  t.match(bulk, { peer: { ...S1, boot: 'b1', lane: 'bulk' } })
  const link = (main as { link: LinkId }).link
  const sends = Array.from(
    { length: 3000 },
    (_, i) => ({ type: 'send', link, message: tip(i + 1) }) as const,
  )
  p1.machine.react = (input) => (input.type === 'drain' ? sends : [])
  p1.driver.feed({ type: 'drain' })
  const last = (input: object) => JSON.stringify(input).includes('"request":3000')
  await s1.machine.inputs.find(last)
  t.same(
    asked(s1),
    sends.map((_, i) => i + 1),
  )
})

const lane = (input: { type: string; peer?: { lane?: string } | object }) =>
  (input as { peer: { lane: string } }).peer.lane

t.test('within a tier the higher slot dials, and one link is enough', async (t) => {
  const p1 = await startToy(P1)
  const p2 = await startToy(P2, [{ ...P1, port: p1.port }])
  t.teardown(() => (p1.stop(), p2.stop()))
  t.match((await p1.machine.first('link-up')).peer, { ...P2, lane: 'main' })
  await p2.machine.first('link-up')
  t.same(p2.links.unreached(), [])
})

t.test('a lost link comes back under a new number', async (t) => {
  const p1 = await startToy(P1)
  const p2 = await startToy(P2, [{ ...P1, port: p1.port }])
  t.teardown(() => (p1.stop(), p2.stop()))
  const { link } = await p1.machine.first('link-up')
  const again = p1.machine.inputs.next(({ type }) => type === 'link-up')
  p1.links.close(link, 'for the test')
  t.notSame(((await again) as { link: LinkId }).link, link)
  t.same(
    p1.machine.inputs.all.map(({ type }) => type),
    ['link-up', 'link-down', 'link-up'],
  )
})

t.test('a new connection of the same replica replaces the old one', async (t) => {
  const s1 = await startToy(S1)
  t.teardown(() => s1.stop())
  const own = await credentialsOf(P1)
  const old = await BarePeer.connect(s1.port, own)
  await old.hello({ ...P1, boot: 'old' })
  const down = s1.machine.first('link-down')
  const fresh = await BarePeer.connect(s1.port, own)
  old.say(tip(1))
  await fresh.hello({ ...P1, boot: 'new' })
  t.match((await down).reason, /replaced/)
  await old.closed
  fresh.say(tip(2))
  await s1.machine.inputs.find((input) => JSON.stringify(input).includes('"request":2'))
  const ups = s1.machine.of('link-up').map(({ link, peer }) => [link, 'boot' in peer && peer.boot])
  t.equal(ups.length, 2)
  const order = s1.machine.inputs.all.map(({ type }) => type).filter((type) => type !== 'message')
  t.same(order, ['link-up', 'link-down', 'link-up'])
  fresh.socket.destroy()
})

t.test('other clusters, versions and words are refused with one ERROR', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const cases = [
    [{ clusterId: 'other' }, /this is cluster troca-toy/],
    [{ minVersion: 1, maxVersion: 2 }, /speaks version 3/],
  ] as const
  for (const [changes, text] of cases) {
    const peer = await BarePeer.connect(p1.port)
    void peer.hello(changes)
    t.match(await peer.refusal(), text)
  }
  const early = await BarePeer.connect(p1.port)
  early.say(status(1))
  t.match(await early.refusal(), /HELLO comes first/)
  const twice = await BarePeer.connect(p1.port)
  await twice.hello()
  void twice.hello()
  t.match(await twice.refusal(), /HELLO after the handshake/)
  const wrong = await BarePeer.connect(p1.port)
  await wrong.hello()
  wrong.say(tip(1))
  t.match(await wrong.refusal(), /TIP is not for a client to send/)
})

t.test('a client is welcomed, heard and answered', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const client = await BarePeer.connect(p1.port)
  t.match(await client.hello(), { coordinator: 2, slot: 1, role: 'processing', credit: 256 })
  client.say({ type: 'PING', nonce: 7 })
  t.equal((await client.hears('PONG')).nonce, 7)
  const bytes = encodeFrame(status(9))
  for (const byte of bytes) client.socket.write(Uint8Array.of(byte))
  t.match((await p1.machine.first('message')).message, status(9))
  client.say({ type: 'GOODBYE', reason: 'done' })
  t.match((await p1.machine.first('link-down')).reason, /goodbye: done/)
})

t.test('an invalid frame is answered by one ERROR and the end', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const before = await BarePeer.connect(p1.port)
  before.socket.write(Buffer.from('00002000', 'hex'))
  t.match(await before.refusal(), /8192 bytes; at most 4096/)
  const after = await BarePeer.connect(p1.port)
  await after.hello()
  after.socket.write(Buffer.from('0000000292c1', 'hex'))
  t.match(await after.refusal(), /MessagePack type 0xc1|cut short/)
  t.match(await p1.machine.first('link-down'), { reason: /BAD_FRAME/ })
})

t.test('a client may send only short frames before its log-in', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const long: Message = {
    ...{ type: 'SEND', request: 1, stream: Buffer.alloc(16), seq: 1, to: 'bob' },
    text: 'x'.repeat(60_000),
  }
  const early = await BarePeer.connect(p1.port)
  await early.hello()
  early.say(long)
  t.match(await early.refusal(), /bytes; at most 4096/)
  const client = await BarePeer.connect(p1.port)
  await client.hello()
  // STATUS stands for the log-in here.
  p1.machine.react = (input) =>
    input.type === 'message' && input.message.type === 'STATUS'
      ? [
          { type: 'admit', link: input.link },
          { type: 'send', link: input.link, message: pageFor(1) },
        ]
      : []
  client.say(status(1))
  await client.hears('LISTENING')
  client.say(long)
  t.match(
    await p1.machine.inputs.find(
      (input) => input.type === 'message' && input.message.type === 'SEND',
    ),
    {
      message: { text: long.text },
    },
  )
  t.match(
    p1.machine.of('message').map(({ message }) => message.type),
    ['STATUS', 'SEND'],
  )
  client.socket.destroy()
})

t.test('a client that does not read is paused, then refused with SLOW_READER', async (t) => {
  const p1 = await startToy(P1, [], { bounds: { clientQueue: 300_000 } })
  t.teardown(() => p1.stop())
  const client = await BarePeer.connect(p1.port)
  await client.hello()
  client.socket.pause()
  const progress = { type: 'PROGRESS', request: 1, text: 'x'.repeat(250) } as const
  const effects = (link: LinkId) =>
    Array.from({ length: 200 }, () => ({ type: 'send', link, message: progress }) as const)
  p1.machine.react = (input) => (input.type === 'message' ? effects(input.link) : [])
  // Until nothing more is taken from this client, and then from the machine's own will.
  const { link } = await p1.machine.first('link-up')
  for (let i = 1; i <= 20; i++) client.say(status(i))
  const refused = p1.logged.find(({ event }) => event === 'link-refused')
  p1.machine.react = (input) => (input.type === 'drain' ? effects(link) : [])
  while (p1.machine.of('link-down').length === 0) {
    p1.driver.feed({ type: 'drain' })
    await new Promise(setImmediate)
  }
  const { fields } = await refused
  const address = `127.0.0.1:${client.socket.localPort}`
  t.match(fields, { code: 'SLOW_READER', user: 'carol', address })
  t.ok(Number(fields['bytes']) > 300_000, 'the log says how much waits')
  t.match(fields['reason'], `carol at ${address} reads too slowly: ${fields['bytes']} bytes wait`)
  client.socket.destroy()
})

t.test('a client that floods is served in order, as fast as it reads answers', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const client = await BarePeer.connect(p1.port)
  await client.hello()
  p1.machine.react = (input) =>
    input.type === 'message' && input.message.type === 'STATUS'
      ? [{ type: 'send', link: input.link, message: pageFor(input.message.request) }]
      : []
  const wanted = 5000
  for (let i = 1; i <= wanted; i++) client.say(status(i))
  await client.heard.find((message) => message.type === 'LISTENING' && message.request === wanted)
  const answers = client.heard.all.filter(({ type }) => type === 'LISTENING')
  t.same(
    answers.map((answer) => 'request' in answer && answer.request),
    answers.map((_, i) => i + 1),
  )
  client.socket.destroy()
})

const pageFor = (request: number): Message => ({ type: 'LISTENING', request, after: 0 })

t.test('a connection without a handshake is ended', async (t) => {
  const p1 = await startToy(P1, [], { bounds: { handshakeMs: 1, clientSilenceMs: 1 } })
  t.teardown(() => p1.stop())
  const silent = await BarePeer.connect(p1.port)
  t.match(await silent.refusal(), /no handshake within 1 ms/)
})

t.test('a client beyond maxClients is refused', async (t) => {
  const p1 = await startToy(P1, [], { bounds: { maxClients: 1 } })
  t.teardown(() => p1.stop())
  const first = await BarePeer.connect(p1.port)
  await first.hello()
  const second = await BarePeer.connect(p1.port)
  void second.hello()
  t.match(await second.refusal(), /1 clients are connected already/)
  first.socket.destroy()
  await p1.machine.first('link-down')
  const third = await BarePeer.connect(p1.port)
  t.match(await third.hello(), { slot: 1 })
  third.socket.destroy()
})

t.test('two replicas link over plain TCP when TLS is off', async (t) => {
  const s1 = await startToy(S1, [], { credentials: null })
  const p1 = await startToy(P1, [{ ...S1, port: s1.port }], { credentials: null })
  t.teardown(() => (p1.stop(), s1.stop()))
  await p1.machine.first('link-up')
  const client = await BarePeer.connectPlain(p1.port)
  t.match(await client.hello(), { slot: 1 })
  client.socket.destroy()
})
