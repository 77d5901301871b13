// Deletions on real daemons: from the answer on, no replica shows a deleted message in a page or
// push. The bodies leave every file, also those of replicas that were killed before they could
// erase.

import t from 'tap'
import { Cluster, PASSWORD } from './cluster.js'
import type { Replica } from './replica.js'
import { readMailbox } from './load.js'
import { messagesIn } from './stored.js'

t.setTimeout(280_000)

/** Indices of the messages whose bodies the file has erased. */
async function erasedIn(replica: Replica): Promise<number[]> {
  const messages = await messagesIn(replica)
  return messages.filter(({ erased }) => erased).map(({ index }) => index)
}

t.test('deleted messages are gone from pages, pushes and files, despite kill -9', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const receipts = await Promise.all(
    Array.from({ length: 300 }, (_, i) => bob.send('alice', `message ${i}`)),
  )
  const own = await alice.send('bob', 'not of this mailbox')
  const gone = receipts.filter((_, i) => i % 2 === 0).map(({ index }) => index)
  const left = receipts.filter((_, i) => i % 2 === 1).map(({ index }) => index)
  const [away] = cluster.persistence
  await away!.kill()
  const before = await alice.usage()
  t.ok(before.bytes > 0 && before.bytes < before.quota, 'the mailbox holds something')
  await alice.delete([...gone, own.index, 1, 1e9])
  for (const replica of cluster.processing) {
    const reader = await cluster.logIn('alice', replica)
    const shown = await readMailbox(reader)
    t.same(
      shown.map(({ index }) => index),
      left,
      `read at ${replica.name}`,
    )
    t.ok(shown.every(({ text }) => text !== null))
    // All texts are of about one length, and half of them are gone.
    const { bytes } = await reader.usage()
    t.ok(bytes > 0.4 * before.bytes && bytes < 0.6 * before.bytes, `usage at ${replica.name}`)
  }
  t.equal((await readMailbox(bob)).length, 1, 'a user cannot delete in the mailbox of another')

  // The returning replica learns of the deletion now. Then all are killed, some perhaps before they
  // have erased.
  away!.start()
  await cluster.untilCaughtUp(away!)
  await alice.delete(left.slice(0, 1))
  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
  const expected = [...gone, left[0]!].sort((a, b) => a - b)
  for (const replica of cluster.persistence) {
    await cluster.until(`${replica.name} has erased`, async () => {
      return (await erasedIn(replica)).length === expected.length ? true : null
    })
    t.same(await erasedIn(replica), expected, replica.name)
  }
  const pushed: number[] = []
  const listener = await cluster.logIn('alice', undefined, PASSWORD)
  for await (const message of listener.messages({ after: 0 })) {
    pushed.push(message.index)
    message.ack()
    if (pushed.length === left.length - 1) break
  }
  t.same(pushed, left.slice(1))
  t.match(await cluster.audit(), { agree: true })
  const again = await bob.send('alice', 'one more')
  t.same((await readMailbox(alice)).at(-1)?.index, again.index)
})
