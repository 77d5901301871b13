// Receipts of sends, and the marks of the mailbox, against scripted servers.

import t from 'tap'
import { connect } from '../../clients/index.js'
import type { Client, ReceiptEvent } from '../../clients/index.js'
import type { Message, The } from '../../protocol/messages/catalogue.js'
import { ERRORS } from '../../protocol/errors.js'
import { FakeServer } from './fake-server.js'
import type { FakePeer, Script } from './fake-server.js'

async function connected(
  test: { teardown(end: () => void): void },
  server: FakeServer,
): Promise<Client> {
  await server.start()
  const at = { servers: [server.address], tls: false }
  const client = await connect({ ...at, user: 'bob', password: 'secret' })
  test.teardown(() => {
    client.abandon('the test is over')
    server.kill()
  })
  return client
}

/** Answers FOLLOW_RECEIPTS, and then plays `script`. */
function followed(script: Script): Script {
  return (message, peer) => {
    if (message.type === 'FOLLOW_RECEIPTS') {
      peer.say({ type: 'FOLLOWING_RECEIPTS', request: message.request })
    }
    script(message, peer)
  }
}

const sentAt = (index: number, state: The<'RECEIPTS_ARE'>['sends'][number]['state'], code = 0) => {
  const place = { stream: new Uint8Array(16), seq: index, to: 'alice', index, time: 5 }
  return { ...place, state, code }
}

t.test('each state of a send is told once, and a skipped state is not told', async (t) => {
  const server = new FakeServer()
  server.script = followed((message, peer) => {
    if (message.type !== 'SEND') return
    const { request, seq } = message
    peer.say({ type: 'ACCEPTED', request, seq })
    peer.say({ type: 'ACCEPTED', request, seq })
    peer.receipt(message)
    peer.say({ type: 'ACCEPTED', request, seq })
    if (seq < 3) return
    peer.say({ type: 'RECEIPT_STATE', to: 'alice', delivered: 102, read: 0, expired: [] })
    peer.say({ type: 'RECEIPT_STATE', to: 'alice', delivered: 102, read: 101, expired: [] })
    peer.say({ type: 'RECEIPT_STATE', to: 'carol', delivered: 103, read: 103, expired: [] })
    peer.say({ type: 'RECEIPT_STATE', to: 'alice', delivered: 103, read: 103, expired: [] })
  })
  const client = await connected(t, server)
  await client.send('alice', 'before anybody asks').catch(() => {})
  const told: ReceiptEvent[] = []
  const over = new Promise<void>((resolve) => {
    client.events.on('receipt', (event) => {
      told.push(event)
      if (event.index === 103 && event.state === 'read') resolve()
    })
  })
  await client.receipts.follow()
  await Promise.all([client.send('alice', 'two'), client.send('alice', 'three')])
  await over
  t.strictSame(
    told.map(({ seq, index, state }) => [seq, index, state]),
    [
      [2, null, 'accepted'],
      [2, 102, 'stored'],
      [3, null, 'accepted'],
      [3, 103, 'stored'],
      [2, 102, 'delivered'],
      [2, 102, 'read'],
      [3, 103, 'read'],
    ],
  )
  const stream = Buffer.from(server.sends()[0]!.stream).toString('hex')
  t.ok(told.every((event) => event.to === 'alice' && event.stream === stream))
})

t.test('a client follows its unread sends again after a lost connection', async (t) => {
  const server = new FakeServer()
  const asked = (): unknown[] =>
    server.heard.flatMap((one) => (one.type === 'FOLLOW_RECEIPTS' ? [one.indices] : []))
  server.script = followed((message, peer) => {
    if (message.type !== 'FOLLOW_RECEIPTS') return
    if (asked().length === 1) {
      peer.say({ type: 'RECEIPT_STATE', to: 'alice', delivered: 8, read: 7, expired: [] })
      return peer.drop()
    }
    peer.say({ type: 'RECEIPT_STATE', to: 'alice', delivered: 9, read: 9, expired: [] })
  })
  const client = await connected(t, server)
  const told: unknown[] = []
  const over = new Promise<void>((resolve) => {
    client.events.on('receipt', ({ index, state }) => {
      told.push([index, state])
      if (index === 9) resolve()
    })
  })
  const sends = (['stored', 'delivered', 'delivered', 'read', 'refused'] as const).map(
    (state, i) => ({ ...sentAt(9 - i, state), stream: '', error: null }),
  )
  await client.receipts.follow(sends)
  await over
  t.strictSame(told, [
    [7, 'read'],
    [8, 'read'],
    [9, 'read'],
  ])
  t.strictSame(asked(), [
    [7, 8, 9],
    [8, 9],
  ])
})

t.test('a list of sends says why one was refused', async (t) => {
  const server = new FakeServer()
  server.script = (message, peer) => {
    if (message.type !== 'RECEIPTS') return
    const sends = [sentAt(9, 'refused', ERRORS.BLOCKED.code), sentAt(8, 'read')]
    peer.say({ type: 'RECEIPTS_ARE', request: message.request, sends })
  }
  const client = await connected(t, server)
  const stream = '00'.repeat(16)
  t.strictSame(await client.receipts.list({ to: 'alice', limit: 5_000 }), [
    { stream, seq: 9, to: 'alice', index: 9, time: 5, state: 'refused', error: 'BLOCKED' },
    { stream, seq: 8, to: 'alice', index: 8, time: 5, state: 'read', error: null },
  ])
  t.match(server.heard.at(-1), { type: 'RECEIPTS', to: 'alice', limit: 1_000 })
})

function messageAt(index: number): The<'PUSH'>['messages'][number] {
  const place = { from: 'alice', to: 'bob', time: 1, stream: new Uint8Array(16), seq: index }
  return { index, ...place, text: 'olá', envelope: null }
}

/** The marks that the server has received. */
const marks = (server: FakeServer): unknown[] =>
  server.heard.flatMap((one) => {
    return one.type === 'DELIVERED' || one.type === 'CURSOR' ? [[one.type, one.index]] : []
  })

function reading(last: number, heard: (message: Message, peer: FakePeer) => void): Script {
  return (message, peer) => {
    if (message.type === 'INBOX') {
      const { request, after, limit } = message
      const messages = [3, 5, 8].filter((index) => index > after).map(messageAt)
      const page = messages.slice(0, limit)
      const more = messages.length > limit
      const next = more ? page.at(-1)!.index : last
      peer.say({ type: 'PAGE', request, messages: page, next, more, cursor: 0 })
    }
    heard(message, peer)
  }
}

t.test('received messages are marked as delivered once, and none behind a gap', async (t) => {
  const server = new FakeServer()
  let wake = (): void => {}
  const next = (): Promise<void> => new Promise((resolve) => (wake = resolve))
  server.script = reading(10, ({ type }) => {
    if (type === 'DELIVERED') wake()
  })
  const client = await connected(t, server)
  await client.inbox({ after: 5 })
  const first = next()
  await client.inbox({ limit: 1 })
  await first
  t.strictSame(marks(server), [['DELIVERED', 3]], 'what lies before 5 was not all there')
  const second = next()
  await client.inbox({ after: 3 })
  await second
  t.strictSame(marks(server).at(-1), ['DELIVERED', 8], 'a message, not the end of the log')
  await client.inbox({ after: 8 })
  await client.close()
  t.equal(marks(server).length, 2, 'nothing new')
})

t.test('a read message is not marked as delivered as well', async (t) => {
  const server = new FakeServer()
  server.script = reading(10, () => {})
  const client = await connected(t, server)
  const page = await client.inbox()
  client.ack(page.messages.at(-1)!.index)
  await client.close()
  t.strictSame(marks(server), [['CURSOR', 8]])
})

t.test('a client that closes marks what it has received as delivered', async (t) => {
  const server = new FakeServer()
  server.script = reading(10, () => {})
  const client = await connected(t, server)
  await client.inbox()
  await client.close()
  t.strictSame(marks(server), [['DELIVERED', 8]])
})

t.test('pushed messages are marked as delivered, and again on a new connection', async (t) => {
  const server = new FakeServer()
  let listens = 0
  server.script = (message, peer) => {
    if (message.type === 'LISTEN') {
      peer.say({ type: 'LISTENING', request: message.request, after: message.after ?? 0 })
      if (++listens === 1) peer.say({ type: 'PUSH', messages: [messageAt(3), messageAt(4)] })
    }
    if (message.type !== 'DELIVERED') return
    if (marks(server).length === 1) peer.drop()
    else stop.abort()
  }
  const stop = new AbortController()
  const client = await connected(t, server)
  const seen: number[] = []
  for await (const { index } of client.messages({ signal: stop.signal })) seen.push(index)
  t.strictSame(seen, [3, 4])
  t.strictSame(marks(server), [
    ['DELIVERED', 4],
    ['DELIVERED', 4],
  ])
})
