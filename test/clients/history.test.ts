// A client whose service serves another history of the log: positions are set back, nothing of the old
// history is sent again, and the application is told.

import t from 'tap'
import { connect } from '../../clients/index.js'
import type { Client, TrocaError } from '../../clients/index.js'
import type { The } from '../../protocol/messages/catalogue.js'
import { FakeServer, sessionOf } from './fake-server.js'
import type { FakePeer } from './fake-server.js'

const NEXT = '0123456789abcdef0123456789abcdef'

async function started(
  t: { teardown(end: () => void): void },
  server: FakeServer,
): Promise<Client> {
  await server.start()
  const client = await connect({
    ...{ servers: [server.address], tls: false, user: 'bob', password: 'secret' },
  })
  t.teardown(() => {
    client.abandon('the test is over')
    server.kill()
  })
  return client
}

/** The service comes back with a log that was restored: its read mark of bob is 5. */
function restored(server: FakeServer): void {
  server.historyId = NEXT
  server.scripted.add('LOGIN')
  for (const peer of server.peers) peer.drop()
}

const logIn = (message: The<'LOGIN'>, peer: FakePeer): void =>
  peer.say({ ...sessionOf(message.request, message.name), cursor: 5 })

t.test(
  'what was unanswered ends with "may be stored"; later sends go into a new stream',
  async (t) => {
    const server = new FakeServer()
    let answers = false
    const heard = new Set<string>()
    server.script = (message, peer) => {
      if (message.type === 'LOGIN') logIn(message, peer)
      if (message.type === 'SEND' && answers) peer.receipt(message)
      if (message.type !== 'SEND' && message.type !== 'DELETE') return
      heard.add(message.type)
      if (heard.size === 2 && server.historyId === 'first') restored(server)
    }
    const client = await started(t, server)
    t.equal(client.historyId, 'first')
    const told: { from: string; to: string }[] = []
    client.events.on('history', (event) => told.push(event))
    const sending = t.rejects(client.send('alice', 'one'), {
      ...{ name: 'HISTORY_CHANGED', definite: false, retriable: false },
    })
    // An index of the old history may be another message in the new one.
    const deleting = t.rejects(client.delete([7]), { name: 'HISTORY_CHANGED', definite: false })
    await Promise.all([sending, deleting])
    t.same(told, [{ from: 'first', to: NEXT }])
    t.equal(client.historyId, NEXT)
    t.equal(client.account?.cursor, 5)
    const [before] = server.sends()
    answers = true
    t.match(await client.send('alice', 'two'), { seq: 1 })
    const after = server.sends().at(-1)!
    t.equal(after.text, 'two')
    t.not(after.stream, before!.stream, 'another stream')
    t.equal(server.heard.filter(({ type }) => type === 'DELETE').length, 1, 'and no second DELETE')
  },
)

t.test('a subscription goes on after the read mark of the service', async (t) => {
  const server = new FakeServer()
  const push = (peer: FakePeer, index: number): void =>
    peer.say({
      type: 'PUSH',
      messages: [
        {
          ...{ index, from: 'alice', to: 'bob', time: 1, stream: Buffer.alloc(16), seq: index },
          ...{ text: `number ${index}`, envelope: null },
        },
      ],
    })
  server.script = (message, peer) => {
    if (message.type === 'LOGIN') logIn(message, peer)
    if (message.type !== 'LISTEN') return
    const after = message.after ?? (server.historyId === NEXT ? 5 : 0)
    peer.say({ type: 'LISTENING', request: message.request, after })
    push(peer, server.historyId === NEXT ? 6 : 90)
  }
  const client = await started(t, server)
  const reading = client.messages()
  const first = (await reading.next()).value!
  t.equal(first.index, 90)
  restored(server)
  const second = (await reading.next()).value!
  t.equal(second.index, 6, 'a lower index is no repetition')
  const listens = server.heard.filter((message) => message.type === 'LISTEN')
  t.equal(listens.at(-1)?.after, null)
  // The mark of a message of the old history would skip all up to it.
  first.ack()
  second.ack()
  await client.close()
  const marks = server.heard.filter((message) => message.type === 'CURSOR')
  t.equal(Math.max(...marks.map(({ index }) => index)), 6)
})

t.test('the same history after a loss of the connection changes nothing', async (t) => {
  const server = new FakeServer()
  let dropped = false
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    if (dropped) return peer.receipt(message)
    dropped = true
    peer.drop()
  }
  const client = await started(t, server)
  client.events.on('history', () => t.fail('no other history'))
  await client.send('alice', 'one').catch((error: TrocaError) => t.fail(error.message))
  t.equal(new Set(server.sends().map(({ stream }) => Buffer.from(stream).toString('hex'))).size, 1)
})
