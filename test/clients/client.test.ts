// The library against scripted servers: pipelining, failover, resends, definite and other errors.

import t from 'tap'
import { connect } from '../../clients/index.js'
import type { Client, ConnectOptions, TrocaError } from '../../clients/index.js'
import type { The } from '../../protocol/messages/catalogue.js'
import { FakeServer, sessionOf } from './fake-server.js'
import type { Script } from './fake-server.js'

const answerSends: Script = (message, peer) => {
  if (message.type === 'SEND') peer.receipt(message)
}

async function pair(
  test: { teardown(end: () => void): void },
  servers: FakeServer[],
  options: Partial<ConnectOptions> = {},
): Promise<Client> {
  for (const server of servers) await server.start()
  const client = await connect({
    servers: servers.map((server) => server.address),
    tls: false,
    user: 'bob',
    password: 'secret',
    ...options,
  })
  test.teardown(() => {
    client.abandon('the test is over')
    for (const server of servers) server.kill()
  })
  return client
}

t.test('a page may be longer than the longest request', async (t) => {
  const server = new FakeServer()
  const place = { from: 'alice', to: 'bob', time: 1, stream: Buffer.alloc(16), envelope: null }
  const messages = [1, 2, 3].map((index) => {
    return { ...place, index, seq: index, text: 'x'.repeat(60_000) }
  })
  server.script = (message, peer) => {
    if (message.type !== 'INBOX') return
    peer.say({ type: 'PAGE', request: message.request, messages, next: 3, more: false, cursor: 0 })
  }
  const client = await pair(t, [server])
  t.equal((await client.inbox()).messages.length, messages.length)
})

t.test('sends are pipelined, and each receipt has the seq of its send', async (t) => {
  const server = new FakeServer()
  server.script = answerSends
  const client = await pair(t, [server])
  const texts = Array.from({ length: 600 }, (_, i) => `text ${i}`)
  const receipts = await Promise.all(texts.map((text) => client.send('alice', text)))
  t.strictSame(
    receipts.map((receipt) => receipt.seq),
    texts.map((_, i) => i + 1),
  )
  t.strictSame(
    server.sends().map((send) => send.text),
    texts,
  )
})

t.test('unanswered sends never exceed the credit; the others wait', async (t) => {
  const server = new FakeServer()
  server.credit = 8
  const held: (() => void)[] = []
  let unanswered = 0
  let most = 0
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    most = Math.max(most, ++unanswered)
    held.push(() => peer.receipt(message))
    if (held.length < 4 && message.text !== 'last') return
    setImmediate(() => {
      for (const answer of held.splice(0)) {
        unanswered--
        answer()
      }
    })
  }
  const client = await pair(t, [server])
  const sends = Array.from({ length: 21 }, (_, i) => client.send('alice', i < 20 ? 'x' : 'last'))
  await Promise.all(sends)
  t.equal(most, 4)
})

t.test('sends in flight at a dead server are sent again unchanged and in order', async (t) => {
  const first = new FakeServer(1, 1)
  const second = new FakeServer(2, 2)
  first.script = (message, peer) => {
    if (message.type !== 'SEND') return
    if (message.seq <= 3) return peer.receipt(message)
    if (message.seq === 6) first.kill()
  }
  second.script = answerSends
  const client = await pair(t, [first, second])
  const failovers: { from: number; to: number }[] = []
  client.events.on('failover', (event) => failovers.push(event))
  const receipts = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => client.send('alice', `n ${n}`)))
  t.strictSame(
    receipts.map((receipt) => receipt.seq),
    [1, 2, 3, 4, 5, 6],
  )
  t.match(failovers, [{ from: 1, to: 2 }])
  t.strictSame(
    second.sends().map(({ seq, text }) => [seq, text]),
    [
      [4, 'n 4'],
      [5, 'n 5'],
      [6, 'n 6'],
    ],
  )
  t.strictSame(second.sends()[0]?.stream, first.sends()[0]?.stream)
})

t.test('a standby connection takes over without another log-in', async (t) => {
  const first = new FakeServer(1, 1)
  const second = new FakeServer(2, 1)
  first.script = answerSends
  second.script = answerSends
  const client = await pair(t, [first, second])
  const logins = () => second.heard.filter((message) => message.type === 'LOGIN').length
  while (logins() === 0) await client.status()
  // After this answer the client has also read the answer to the log-in.
  await client.status()
  first.kill()
  second.coordinator = 2
  t.match(await client.send('alice', 'x'), { seq: 1 })
  t.equal(logins(), 1)
})

t.test('a standby connection of one user is not used for another', async (t) => {
  const first = new FakeServer(1, 1)
  const second = new FakeServer(2, 1)
  first.script = answerSends
  second.script = answerSends
  const client = await pair(t, [first, second])
  const logins = (): string[] =>
    second.heard.flatMap((message) => (message.type === 'LOGIN' ? [message.name] : []))
  while (logins().length === 0) await client.status()
  await client.status()
  await client.login('carol', 'secret too')
  first.kill()
  second.coordinator = 2
  await client.send('alice', 'x')
  // The connection that carried the send was logged in as carol.
  t.equal(logins().at(-1), 'carol')
})

t.test('the client goes to the coordinator that another server names', async (t) => {
  const follower = new FakeServer(1, 2)
  const coordinator = new FakeServer(2, 2)
  coordinator.script = answerSends
  const client = await pair(t, [follower, coordinator])
  t.match(await client.send('alice', 'hello'), { seq: 1 })
  t.equal(follower.sends().length, 0)
})

t.test('the client moves when the coordinator changes, and loses nothing', async (t) => {
  const old = new FakeServer(1, 1)
  const next = new FakeServer(2, 2)
  old.script = (message, peer) => {
    if (message.type !== 'SEND') return
    old.coordinator = 2
    peer.refuse(message.request, 'NOT_READY')
  }
  next.script = answerSends
  const client = await pair(t, [old, next])
  t.match(await client.send('alice', 'hello'), { seq: 1 })
  t.equal(next.sends().length, 1)
})

t.test('a client that sends leaves a replica that knows no coordinator', async (t) => {
  const cutOff = new FakeServer(1, 1)
  const other = new FakeServer(2, 2)
  cutOff.script = (message, peer) => {
    cutOff.coordinator = 0
    if ('request' in message) peer.refuse(message.request, 'NO_QUORUM')
  }
  other.script = answerSends
  const client = await pair(t, [cutOff, other])
  t.match(await client.send('alice', 'hello'), { seq: 1 })
  t.equal(other.sends().length, 1)
})

t.test('a client that only listens leaves a replica that knows no coordinator', async (t) => {
  const message = { from: 'bob', to: 'alice', time: 1, stream: new Uint8Array(16), seq: 1 }
  const cutOff = new FakeServer(1, 1)
  const other = new FakeServer(2, 2)
  cutOff.script = (asked, peer) => {
    if (asked.type !== 'LISTEN') return
    cutOff.coordinator = 0
    peer.say({ type: 'LISTENING', request: asked.request, after: 0 })
  }
  other.script = ({ type }, peer) => {
    if (type !== 'LISTEN') return
    peer.say({ type: 'PUSH', messages: [{ ...message, index: 7, text: 'hi', envelope: null }] })
  }
  const client = await pair(t, [cutOff, other])
  const first = await client.messages()[Symbol.asyncIterator]().next()
  t.match(first, { value: { index: 7 } })
})

t.test('a client that is not logged in leaves a replica that knows no coordinator', async (t) => {
  const cutOff = new FakeServer(1, 1)
  const other = new FakeServer(2, 2)
  cutOff.scripted.add('REGISTER')
  cutOff.script = (message, peer) => {
    cutOff.coordinator = 0
    if ('request' in message) peer.refuse(message.request, 'NO_QUORUM')
  }
  for (const server of [cutOff, other]) await server.start()
  const client = await connect({ servers: [cutOff.address, other.address], tls: false })
  await client.register('carol', 'secret')
  t.ok(other.heard.some(({ type }) => type === 'REGISTER'))
  await client.close()
  for (const server of [cutOff, other]) server.kill()
})

t.test('after OVERLOADED every unanswered send is sent again, from the lowest seq', async (t) => {
  const server = new FakeServer()
  let refused = false
  let expected = 1
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    if (message.seq === 2 && !refused) {
      refused = true
      return peer.refuse(message.request, 'OVERLOADED', 30)
    }
    if (message.seq > expected) return peer.refuse(message.request, 'OUT_OF_ORDER')
    if (message.seq === expected) expected++
    peer.receipt(message)
  }
  const client = await pair(t, [server])
  const receipts = await Promise.all([1, 2, 3, 4].map((n) => client.send('alice', `n ${n}`)))
  t.strictSame(
    receipts.map((receipt) => receipt.seq),
    [1, 2, 3, 4],
  )
})

t.test('a duplicate receipt is harmless', async (t) => {
  const server = new FakeServer()
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    peer.receipt(message)
    peer.receipt(message)
  }
  const client = await pair(t, [server])
  t.match(await client.send('alice', 'a'), { seq: 1 })
  t.match(await client.send('alice', 'b'), { seq: 2 })
})

t.test('a refusal by execution rejects only that send', async (t) => {
  const server = new FakeServer()
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    if (message.to === 'nobody') peer.refuse(message.request, 'NO_SUCH_USER')
    else peer.receipt(message)
  }
  const client = await pair(t, [server])
  const [first, second, third] = await Promise.allSettled([
    client.send('alice', '1'),
    client.send('nobody', '2'),
    client.send('alice', '3'),
  ])
  t.equal(first.status, 'fulfilled')
  t.match(second, { reason: { name: 'NO_SUCH_USER', code: 102, definite: true } })
  t.match(third, { value: { seq: 3 } })
})

t.test('a send without an answer ends in TIMEOUT and may be stored', async (t) => {
  const client = await pair(t, [new FakeServer()])
  const error = (await client
    .send('alice', 'x', { timeoutMs: 50 })
    .catch((reason: unknown) => reason)) as TrocaError
  t.match(error, { name: 'TIMEOUT', retriable: true, definite: false })
  t.notMatch(error.message, /secret/)
})

t.test(
  'a send refused before the order at every try is certainly not stored; later ones go on',
  async (t) => {
    const server = new FakeServer()
    server.script = (message, peer) => {
      if (message.type !== 'SEND') return
      if (message.text === 'late') return peer.refuse(message.request, 'NO_QUORUM', 10_000)
      if (message.seq > 1) return peer.refuse(message.request, 'OUT_OF_ORDER')
      peer.receipt(message)
    }
    const client = await pair(t, [server])
    const late = client.send('alice', 'late', { timeoutMs: 50 }).catch((reason: unknown) => reason)
    const next = client.send('alice', 'next')
    t.match(await late, { name: 'TIMEOUT', definite: true })
    t.match(await next, { seq: 1 }, 'in a stream of its own')
    const streams = new Set(server.sends().map((send) => Buffer.from(send.stream).toString('hex')))
    t.equal(streams.size, 2)
  },
)

const streamsOf = (server: FakeServer): number =>
  new Set(server.sends().map(({ stream }) => Buffer.from(stream).toString('hex'))).size

t.test('a client that is idle for long closes its stream, and opens another to send', async (t) => {
  const server = new FakeServer()
  server.scripted.add('CLOSE_STREAM')
  const closed = new Promise<void>((resolve) => {
    server.script = (message, peer) => {
      answerSends(message, peer)
      if (message.type !== 'CLOSE_STREAM') return
      peer.say({ type: 'STREAM_CLOSED', request: message.request })
      resolve()
    }
  })
  const client = await pair(t, [server], { streamIdleMs: 50 })
  await client.send('alice', 'one')
  await closed
  t.match(await client.send('alice', 'two'), { seq: 1 })
  t.equal(streamsOf(server), 2)
  await client.close()
  t.equal(server.heard.filter(({ type }) => type === 'CLOSE_STREAM').length, 2)
})

t.test('a client whose stream has ended sends in another one, unasked', async (t) => {
  const server = new FakeServer()
  let ended = ''
  server.script = (message, peer) => {
    if (message.type !== 'SEND') return
    const stream = Buffer.from(message.stream).toString('hex')
    if (message.text === 'first') ended = stream
    if (message.text === 'first' || stream !== ended) peer.receipt(message)
    else peer.streamClosed(message)
  }
  const client = await pair(t, [server])
  await client.send('alice', 'first')
  const texts = ['second', 'third', 'fourth']
  const receipts = await Promise.all(texts.map((text) => client.send('alice', text)))
  t.same(
    receipts.map(({ seq }) => seq),
    [1, 2, 3],
    'in order, in a stream of their own',
  )
  t.equal(streamsOf(server), 2)
})

t.test(
  'a send with a lost answer in an ended stream may be stored: it is not repeated',
  async (t) => {
    const server = new FakeServer()
    let lost = 0
    server.script = (message, peer) => {
      if (message.type !== 'SEND') return
      if (lost++ === 0) peer.drop()
      else peer.streamClosed(message)
    }
    const client = await pair(t, [server])
    const failure = await client.send('alice', 'once').catch((reason: unknown) => reason)
    t.match(failure, { name: 'STREAM_CLOSED', definite: false })
    t.equal(streamsOf(server), 1)
  },
)

t.test('an aborted send that was never written is certainly not stored', async (t) => {
  const server = new FakeServer()
  server.scripted.add('OPEN_STREAM')
  const client = await pair(t, [server])
  const abort = new AbortController()
  const send = client
    .send('alice', 'x', { signal: abort.signal })
    .catch((reason: unknown) => reason)
  abort.abort()
  t.match(await send, { name: 'ABORTED', definite: true })
})

t.test('messages() resumes after a reconnect and gives nothing twice', async (t) => {
  const push = (from: number, to: number): The<'PUSH'> => ({
    type: 'PUSH',
    messages: Array.from({ length: to - from + 1 }, (_, i) => ({
      index: from + i,
      from: 'bob',
      to: 'alice',
      time: 1,
      stream: new Uint8Array(16),
      seq: from + i,
      text: `m ${from + i}`,
      envelope: null,
    })),
  })
  const server = new FakeServer()
  let times = 0
  server.script = (message, peer) => {
    if (message.type !== 'LISTEN') return
    peer.say({ type: 'LISTENING', request: message.request, after: message.after ?? 10 })
    if (++times > 1) return peer.say(push(12, 16))
    peer.say(push(11, 13))
    setImmediate(() => peer.drop())
  }
  const client = await pair(t, [server])
  const seen: number[] = []
  for await (const message of client.messages()) {
    seen.push(message.index)
    message.ack()
    if (message.index === 16) break
  }
  t.strictSame(seen, [11, 12, 13, 14, 15, 16])
  await client.close()
  const cursors = server.heard.filter((message) => message.type === 'CURSOR')
  t.equal(cursors.at(-1)?.index, 16)
  t.ok(cursors.length <= 6, 'coalesced')
})

t.test('close() waits for what is unanswered', async (t) => {
  const server = new FakeServer()
  server.script = (message, peer) => {
    if (message.type === 'SEND') setImmediate(() => peer.receipt(message))
  }
  const client = await pair(t, [server])
  let stored = false
  void client.send('alice', 'x').then(() => (stored = true))
  await client.close()
  t.ok(stored)
  await t.rejects(client.send('alice', 'y'), { name: 'CLOSED' })
})

t.test('a client that reaches no server gets UNREACHABLE with every server named', async (t) => {
  const server = await new FakeServer().start()
  const { address } = server
  server.kill()
  const error = connect({ servers: [address], tls: false, timeoutMs: 100 })
  await t.rejects(error, { name: 'UNREACHABLE', message: /p1 refused the connection/ })
})

t.test('connect() with a wrong password rejects at once', async (t) => {
  const server = new FakeServer()
  server.scripted.add('LOGIN')
  server.script = (message, peer) => {
    if (message.type === 'LOGIN') peer.refuse(message.request, 'BAD_CREDENTIALS')
  }
  await t.rejects(pair(t, [server]), { name: 'BAD_CREDENTIALS', code: 103 })
  server.kill()
})

t.test('a repeated register has the same token', async (t) => {
  const server = new FakeServer()
  const client = await pair(t, [server])
  server.scripted.add('REGISTER')
  let tries = 0
  server.script = (message, peer) => {
    if (message.type !== 'REGISTER') return
    if (++tries === 1) return peer.drop()
    if (tries === 2) {
      peer.say({ type: 'PROGRESS', request: message.request, text: 'searching primes' })
      return peer.refuse(message.request, 'NOT_READY', 10)
    }
    const { request, name } = message
    peer.say({ ...sessionOf(request, name), bits: 3072 })
  }
  const heard: string[] = []
  await client.register('carol', 'pw', { onProgress: (text) => heard.push(text) })
  const tokens = server.heard.filter((message) => message.type === 'REGISTER')
  t.equal(tokens.length, 3)
  t.strictSame(tokens[0]?.token, tokens[2]?.token)
  t.strictSame(heard, ['searching primes'])
  t.equal(client.user, 'carol')
})

t.test('a change of password survives a lost answer, and the valid password logs in', async (t) => {
  const server = new FakeServer()
  server.scripted.add('LOGIN')
  let password = 'secret'
  const tokens: string[] = []
  server.script = (message, peer) => {
    if (message.type === 'LOGIN') {
      const { request, name } = message
      if (message.password !== password) return peer.refuse(request, 'BAD_CREDENTIALS')
      peer.say(sessionOf(request, name))
    }
    if (message.type !== 'CHANGE_PASSWORD') return
    const { request, newPassword, token } = message
    tokens.push(Buffer.from(token).toString('hex'))
    password = newPassword
    if (tokens.length === 1) return peer.drop()
    peer.say(sessionOf(request, 'bob'))
  }
  const client = await pair(t, [server])
  t.match(await client.changePassword('secret', 'sesame'), { name: 'bob' })
  t.equal(tokens.length, 2)
  t.equal(tokens[0], tokens[1], 'the same change')
  const tried = (): unknown[] =>
    server.heard.flatMap((message) => (message.type === 'LOGIN' ? [message.password] : []))
  t.strictSame(tried(), ['secret', 'secret', 'sesame'])
  for (const peer of server.peers) peer.drop()
  await client.status()
  t.strictSame(tried().slice(3), ['sesame'], 'the old one is forgotten')
})

t.test('the library sends no password that every service refuses', async (t) => {
  const server = new FakeServer()
  const client = await pair(t, [server])
  for (const password of ['', 'a\nb', 'a\0b', 'half \ud83d']) {
    const refused = { name: 'BAD_PASSWORD', definite: true, retriable: false }
    await t.rejects(client.register('carol', password), refused)
    await t.rejects(client.changePassword('secret', password), refused)
  }
  const asked = server.heard.map(({ type }) => type)
  t.notOk(asked.some((type) => type === 'REGISTER' || type === 'CHANGE_PASSWORD'))
  t.equal(client.user, 'bob')
})

t.test('a window that no service takes is refused here', async (t) => {
  const server = new FakeServer()
  const client = await pair(t, [server])
  for (const window of [0, -1, 1.5, 4_097]) {
    const listening = client.messages({ window }).next()
    await t.rejects(listening, { name: 'BAD_REQUEST', message: /needed: 1 to 4096/ })
  }
  t.notOk(server.heard.some(({ type }) => type === 'LISTEN'))
})

t.test('a refused change leaves the password and the key unchanged', async (t) => {
  const server = new FakeServer()
  server.script = (message, peer) => {
    if (message.type === 'CHANGE_PASSWORD') peer.refuse(message.request, 'BAD_CREDENTIALS')
    if (message.type === 'ROTATE_KEY') peer.refuse(message.request, 'ACCOUNT_CHANGED')
  }
  const client = await pair(t, [server])
  const wrong = client.changePassword('wrong', 'sesame')
  await t.rejects(wrong, { name: 'BAD_CREDENTIALS', definite: true })
  await t.rejects(client.rotateKey('secret'), { name: 'ACCOUNT_CHANGED', definite: true })
  for (const peer of server.peers) peer.drop()
  await client.status()
  t.equal(server.heard.findLast((message) => message.type === 'LOGIN')?.password, 'secret')
})
