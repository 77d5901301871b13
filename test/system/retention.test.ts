// Retention on real daemons: by configuration and by wish, across a change of the coordinator, and on
// a replica that was away; what is left, what senders are told, and that the files give room back.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { Cluster } from './cluster.js'
import { readMailbox } from './load.js'
import { messagesIn } from './stored.js'

t.setTimeout(280_000)

const textsOf = (shown: readonly { readonly text: string | null }[]) =>
  shown.map(({ text }) => text)

t.test('a mailbox keeps what the cluster and its user want', async (t) => {
  const settings = { retention: { count: 50 } }
  const cluster = await Cluster.start(t, { processing: 3, persistence: 3, settings })
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const off = { age: 0, count: 0, bytes: 0 }
  t.same(await alice.retention(), { own: off, cluster: { ...off, count: 50 } })
  await alice.retain({ ...off, count: 20 })
  const { code, stdout } = await cluster.troca('alice', ['account', 'retention', '--json'])
  t.equal(code, 0)
  t.match(JSON.parse(stdout), { own: { count: 20 }, inForce: { count: 20 } })

  await bob.receipts.follow()
  const expired = new Set<number>()
  bob.events.on('receipt', ({ state, index }) => {
    if (state === 'expired') expired.add(index!)
  })
  const send = (to: string, from: number, count: number) =>
    Promise.all(Array.from({ length: count }, (_, i) => bob.send(to, `message ${from + i}`)))
  const early = await send('alice', 0, 10)
  alice.ack(early[4]!.index)
  await cluster.until('the mark is committed', async () => {
    const list = await bob.receipts.list({ to: 'alice' })
    return list.filter(({ state }) => state === 'read').length === 5 ? true : null
  })
  const [away] = cluster.persistence
  await away!.kill()
  const receipts = [...early, ...(await send('alice', 10, 90))]
  const others = await send('bob', 0, 60)
  await (await cluster.coordinator()).kill()
  const settled = (user: typeof alice, count: number) =>
    cluster.until(`${count} messages are left`, async () => {
      return (await readMailbox(user)).length === count ? true : null
    })
  await settled(alice, 20)
  await settled(bob, 50)
  t.same(textsOf(await readMailbox(alice)).at(0), 'message 80', 'the newest are left')
  for (const replica of cluster.replicas) if (!replica.runs) replica.start()
  await cluster.untilSettled()
  for (const replica of cluster.processing) {
    const reader = await cluster.logIn('alice', replica)
    t.equal((await readMailbox(reader)).length, 20, `read at ${replica.name}`)
    const { bytes } = await reader.usage()
    t.equal(bytes, (await alice.usage()).bytes, `usage at ${replica.name}`)
  }

  const states = await bob.receipts.list({ to: 'alice', limit: 100 })
  const count = (state: string) => states.filter((one) => one.state === state).length
  t.equal(count('read'), 5, 'what was read before it expired stays read')
  t.equal(count('expired'), 75)
  alice.ack(receipts.at(-1)!.index)
  await cluster.until('the rest is read', async () => {
    const list = await bob.receipts.list({ to: 'alice', limit: 100 })
    return list.filter(({ state }) => state === 'read').length === 25 ? true : null
  })
  t.equal(expired.has(receipts[5]!.index), true, 'a follower is told')
  t.equal(expired.has(receipts[0]!.index), false)
  t.equal(expired.has(others[0]!.index), true)

  const gone = [...receipts.slice(0, 80), ...others.slice(0, 10)].map(({ index }) => index)
  for (const replica of cluster.persistence) {
    await cluster.until(`${replica.name} has erased`, async () => {
      const left = (await messagesIn(replica)).filter(({ erased }) => erased)
      return left.length === gone.length ? true : null
    })
  }
  t.match(await cluster.audit(), { agree: true })
})

t.test('messages expire by their age, and --since finds a place by time', async (t) => {
  const cluster = await Cluster.start(t, { processing: 3, persistence: 3 })
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  for (let i = 0; i < 5; i++) await bob.send('alice', `early ${i}`)
  const { time: until } = await bob.send('alice', 'the last early one')
  await cluster.until('a millisecond has passed', async () =>
    Date.now() > until + 1 ? true : null,
  )
  const { time: from } = await bob.send('alice', 'late')
  const page = await alice.inbox({ since: new Date(from) })
  t.same(textsOf(page.messages), ['late'])
  t.same((await alice.inbox({ since: new Date(from), after: 1e6 })).messages, [])
  t.equal((await alice.inbox({ since: new Date(0) })).messages.length, 7)
  const shown = await cluster.troca('alice', [
    ...['inbox', '--since', new Date(from).toISOString(), '--peek', '--json'],
  ])
  t.equal(shown.stdout.trim().split('\n').length, 1)
  const wrong = await cluster.troca('alice', ['account', 'retention', '--age', 'soon'])
  t.match(wrong, { code: 2, stderr: /--age is soon; needed: a whole number/ })
  const set = await cluster.troca('alice', ['account', 'retention', '--age', '1s'])
  t.match(set, { code: 0, stdout: /messages of alice are kept: for 1s/ })
  await cluster.until('all have expired', async () => {
    return (await readMailbox(alice)).length === 0 ? true : null
  })
  const back = await cluster.troca('alice', ['account', 'retention', '--off'])
  t.match(back.stdout, /without bound/)
  await bob.send('alice', 'kept')
  t.same(textsOf(await readMailbox(alice)), ['kept'])
  t.match(await cluster.audit(), { agree: true })
})

t.test('replicas with different retention agree', async (t) => {
  const cluster = await Cluster.start(t, { processing: 3, persistence: 1 })
  const alice = await cluster.register('alice')
  await Promise.all(Array.from({ length: 30 }, (_, i) => alice.send('alice', `to myself ${i}`)))
  const file = join(cluster.directory, 'cluster.yaml')
  const text = readFileSync(file, 'utf8')
  // One replica after the other starts with a retention of its own.
  for (const [i, replica] of cluster.processing.entries()) {
    await replica.stop()
    writeFileSync(file, `${text}\nretention:\n  count: ${20 - 5 * i}\n`)
    replica.start()
    await cluster.untilCaughtUp(replica)
  }
  await cluster.until('a rule is carried out', async () => {
    return (await readMailbox(alice)).length <= 20 ? true : null
  })
  await cluster.untilSettled()
  for (const replica of cluster.processing) {
    const events = replica.log().map(({ event }) => event)
    t.notOk(events.includes('outvoted') || events.includes('no-majority'), replica.name)
  }
  t.match(await cluster.audit(), { agree: true })
})
