// Changes of password and key on real daemons: their effect on earlier sessions at every replica,
// and that old and new messages still open.

import { once } from 'node:events'
import t from 'tap'
import type { Client } from '../../clients/index.js'
import { Cluster, PASSWORD } from './cluster.js'
import { readMailbox } from './load.js'

t.setTimeout(280_000)

const NEW_PASSWORD = 'battery staple'

async function textsOf(client: Client): Promise<(string | null)[]> {
  return (await readMailbox(client)).map(({ text }) => text)
}

t.test('a new key and a new password survive a kill of all replicas', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  // A session at a replica other than the coordinator learns of changes by the feed alone.
  const coordinator = await cluster.coordinator()
  const follower = cluster.processing.find((one) => one !== coordinator)!
  const elsewhere = await cluster.logIn('alice', follower)
  await bob.send('alice', 'for the first key')

  const first = alice.account!.fingerprint
  const [gone] = await Promise.all([
    once(elsewhere.events, 'disconnected'),
    alice.rotateKey(PASSWORD),
  ])
  t.match(gone, [{ reason: /the account was changed/ }])
  const second = alice.account!.fingerprint
  t.not(second, first)
  const keys = await bob.keys('alice')
  t.same(
    keys.map(({ fingerprint }) => fingerprint),
    [second, first],
  )
  await bob.send('alice', 'for the second key')
  const both = ['for the first key', 'for the second key']
  t.same(await textsOf(alice), both)
  t.same(await textsOf(elsewhere), both, 'the library has logged in again by itself')

  await t.rejects(alice.changePassword('wrong', NEW_PASSWORD), { name: 'BAD_CREDENTIALS' })
  const ended = once(elsewhere.events, 'disconnected')
  await alice.changePassword(PASSWORD, NEW_PASSWORD)
  await ended
  await t.rejects(
    textsOf(elsewhere),
    { name: 'BAD_CREDENTIALS' },
    'this client knows the old password only',
  )
  await t.rejects(cluster.logIn('alice'), { name: 'BAD_CREDENTIALS' })
  t.same(await textsOf(alice), both)

  await Promise.all(cluster.replicas.map((replica) => replica.kill()))
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
  await bob.send('alice', 'after the night')
  const again = await cluster.logIn('alice', follower, NEW_PASSWORD)
  t.same(await textsOf(again), [...both, 'after the night'])
  t.same(await textsOf(alice), [...both, 'after the night'], 'this client knows the new password')
  await t.rejects(cluster.logIn('alice'), { name: 'BAD_CREDENTIALS' })
  t.match(await cluster.audit(), { agree: true })
})

t.test('one of two concurrent changes succeeds, and the other is refused', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const other = await cluster.logIn('alice')
  const asked = ['the first of two', 'the second of two'] as const
  const changes = await Promise.allSettled([
    alice.changePassword(PASSWORD, asked[0]),
    other.changePassword(PASSWORD, asked[1]),
  ])
  const won = changes.findIndex(({ status }) => status === 'fulfilled')
  t.equal(changes.filter(({ status }) => status === 'fulfilled').length, 1)
  const { reason } = changes.find(({ status }) => status === 'rejected') as PromiseRejectedResult
  t.match(reason, { name: /ACCOUNT_CHANGED|BAD_CREDENTIALS/ })
  await t.rejects(cluster.logIn('alice', undefined, asked[1 - won]))
  t.ok(await cluster.logIn('alice', undefined, asked[won]))
})

t.test('in the suite rsa short texts are RSA-OAEP alone, long ones are JWEs', async (t) => {
  const settings = { suite: 'rsa' }
  const cluster = await Cluster.start(t, { processing: 2, persistence: 3, settings })
  const [alice, bob] = [await cluster.register('alice'), await cluster.register('bob')]
  const texts = ['olá', '', 'x'.repeat(190), 'ção '.repeat(1_000)]
  for (const text of texts) await bob.send('alice', text)
  await alice.rotateKey(PASSWORD)
  await bob.send('alice', 'for the second key')
  t.same(await textsOf(alice), [...texts, 'for the second key'])
  const [stored] = (await alice.envelopes()).messages
  t.match(String(Buffer.from(stored!.jwe.split('.')[0]!, 'base64url')), /"suite":"rsa"/)

  const coordinator = await cluster.coordinator()
  await coordinator.kill()
  await bob.send('alice', 'to the other replica')
  t.equal((await textsOf(alice)).at(-1), 'to the other replica')
  coordinator.start()
  await cluster.untilSettled()
  t.match(await cluster.audit(), { agree: true })
})
