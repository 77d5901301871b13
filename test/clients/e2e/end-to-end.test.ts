// Client-held accounts of the library against a service that lies: the client detects what the
// service swaps, and sends it no plain text and no private key.

import t from 'tap'
import type { Test } from 'tap'
import { connect } from '../../../clients/index.js'
import type { Client, KeyNotice, KeyStore } from '../../../clients/index.js'
import type { Change } from '../../../clients/e2e/key-store.js'
import { KeyFile } from '../../../clients/e2e/key-file.js'
import { encodePkcs8 } from '../../../protocol/rsa/formats.js'
import { encodeFrame } from '../../../protocol/wire/frame.js'
import { Person } from '../../protocol/envelope/people.js'
import { Service, published } from './service.js'
import type { WireMessage } from './service.js'

t.setTimeout(120_000)

/** A store in memory; each client of a test has its own, as on machines of their own. */
class Store implements KeyStore {
  readonly keys = new Map<string, string>()
  known: string | null = null
  readKeys = (user: string): Promise<string | null> => Promise.resolve(this.keys.get(user) ?? null)
  changeKeys = (user: string, change: Change): Promise<void> => {
    const text = change(this.keys.get(user) ?? null)
    if (text === null) this.keys.delete(user)
    else this.keys.set(user, text)
    return Promise.resolve()
  }
  readKnown = (): Promise<string | null> => Promise.resolve(this.known)
  changeKnown = (change: Change): Promise<void> => {
    this.known = change(this.known)
    return Promise.resolve()
  }
}

interface User {
  readonly client: Client
  readonly store: Store
  readonly notices: KeyNotice[]
}

async function client(t: Test, service: Service, store: Store): Promise<User> {
  const options = { tls: false, clusterId: 'troca-test', keyStore: store, timeoutMs: 60_000 }
  const client = await connect({ servers: [service.address], ...options })
  t.teardown(() => client.abandon('the test is over'))
  const notices: KeyNotice[] = []
  client.events.on('keys', (notice) => notices.push(notice))
  return { client, store, notices }
}

async function begin(t: Test): Promise<Service> {
  const service = new Service()
  await service.start()
  t.teardown(() => service.kill())
  return service
}

/** Joins with a key file whose keys OpenSSL made, because making keys here takes long. */
async function join(t: Test, service: Service, name: string): Promise<User> {
  const user = await client(t, service, new Store())
  const file = await KeyFile.make('troca-test', name, 'pw')
  const { sealing, signing } = new Person(name).pair
  file.pairs = [{ sealing: encodePkcs8(sealing), signing: encodePkcs8(signing) }]
  user.store.keys.set(name, String(file))
  await user.client.register(name, 'pw', { endToEnd: true, bits: 2048 })
  return user
}

const textsOf = async ({ client }: User): Promise<(string | null)[]> =>
  (await client.inbox()).messages.map(({ text }) => text)

/** Every byte that the service has received. */
const heard = (service: Service): string =>
  Buffer.concat(service.heard.map((message) => encodeFrame(message))).toString('latin1')

t.test('the sender seals, the recipient opens, and the service gets no text', async (t) => {
  const service = await begin(t)
  const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  t.match(alice.client.account, { held: 'client', bits: 2048 })
  const receipts = await Promise.all(
    ['um segredo', 'dois segredos', 'três'].map((text) => alice.client.send('bob', text)),
  )
  t.match(receipts, [{ seq: 1, endToEnd: true }, { seq: 2 }, { seq: 3 }])
  t.same(await textsOf(bob), ['um segredo', 'dois segredos', 'três'])
  t.match((await bob.client.inbox()).messages[0], { from: 'alice', endToEnd: true })
  const listened: (string | null)[] = []
  for await (const { text } of bob.client.messages()) if (listened.push(text) === 3) break
  t.same(listened, ['um segredo', 'dois segredos', 'três'])
  t.notMatch(heard(service), /segredo/)
  t.match(alice.notices, [{ name: 'bob', what: 'first', before: '' }])
  t.equal((await alice.client.keys('bob'))[0]!.fingerprint, bob.client.account!.fingerprint)
})

t.test('keys are made off the event loop, and saved before they are published', async (t) => {
  const service = await begin(t)
  const alice = await client(t, service, new Store())
  const { script } = service
  let kept = false
  service.script = (message, peer) => {
    if (message.type === 'REGISTER') kept = alice.store.keys.has('alice')
    script(message, peer)
  }
  const told: string[] = []
  const onProgress = (text: string): void => void told.push(text)
  await alice.client.register('alice', 'pw', { endToEnd: true, bits: 2048, onProgress })
  t.match(told[0], /^searching primes of the encryption key/)
  t.ok(kept)
  t.match(await alice.client.send('alice', 'a note'), { endToEnd: true })
  t.same(await textsOf(alice), ['a note'])
  const bob = await client(t, service, new Store())
  service.addPlain('bob', 'key of bob')
  const taken = bob.client.register('bob', 'pw', { endToEnd: true, bits: 2048 })
  await t.rejects(taken, { name: 'NAME_TAKEN' })
  t.notOk(bob.store.keys.has('bob'), 'keys that were never published are not left behind')
})

t.test('a message that is changed, moved or replayed has no text', async (t) => {
  const service = await begin(t)
  const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  const carol = await join(t, service, 'carol')
  await alice.client.send('bob', 'one')
  await alice.client.send('bob', 'two')
  const [one, two] = service.stored.splice(0) as [WireMessage, WireMessage]
  const show = async (...messages: WireMessage[]): Promise<(string | null)[]> => {
    service.stored.splice(0, Infinity, ...messages)
    return textsOf(bob)
  }
  t.same(await show({ ...one, from: 'carol' }), [null], 'another sender')
  t.same(await show({ ...one, seq: 2 }), [null], 'another seq')
  t.same(await show({ ...one, stream: new Uint8Array(16) }), [null], 'another stream')
  t.same(await show({ ...one, envelope: two.envelope }), [null], "another's envelope")
  t.same(await show({ ...one, text: 'forged', envelope: null }), [null], 'a text of the service')
  t.same(await show({ ...one, envelope: one.envelope!.subarray(0, -1) }), [null])
  t.same(await show(two, { ...two, index: 9 }), ['two', null], 'the same at another place')
  t.same(await show(one, two), ['one', 'two'])
  service.stored.splice(0, Infinity, { ...one, to: 'carol' })
  t.same(await textsOf(carol), [null], 'another recipient')
})

t.test('a swapped key stops sends until the fingerprint is trusted', async (t) => {
  const service = await begin(t)
  const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  await alice.client.send('bob', 'before')
  const mallory = new Person('bob')
  service.lies.set('bob', [published(mallory.published[0]!)])
  const again = await client(t, service, alice.store)
  await again.client.login('alice', 'pw')
  await t.rejects(again.client.send('bob', 'for bob alone'), {
    name: 'UNTRUSTED_KEY',
    definite: true,
  })
  t.match(again.notices, [
    {
      what: 'untrusted',
      before: bob.client.account!.fingerprint,
      fingerprint: mallory.fingerprint,
    },
  ])
  t.equal(service.stored.length, 1)

  service.lies.set('bob', [...published_(mallory), ...service.accounts.get('bob')!.keys])
  await t.rejects(again.client.send('bob', 'x'), { name: 'UNTRUSTED_KEY' }, 'a rotation not signed')
  const plain = { ...service.accounts.get('bob')!.keys[0]!, signing: null }
  service.lies.set('bob', [plain])
  await t.rejects(again.client.send('bob', 'x'), { name: 'UNTRUSTED_KEY' }, 'a downgrade')

  service.lies.set('bob', published_(mallory))
  const wrong = again.client.trust('bob', bob.client.account!.fingerprint)
  await t.rejects(wrong, { name: 'UNTRUSTED_KEY' }, 'not the fingerprint that was compared')
  await again.client.trust('bob', mallory.fingerprint)
  t.match(await again.client.send('bob', 'trusted now'), { endToEnd: true })
})

const published_ = (person: Person): ReturnType<typeof published>[] =>
  person.published.map((key) => published(key))

t.test("a message signed with a swapped key is not shown as the sender's", async (t) => {
  const service = await begin(t)
  const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  await alice.client.send('bob', 'hers')
  t.same(await textsOf(bob), ['hers'])
  // The service makes keys of its own for alice, and signs with them.
  const impostor = await begin(t)
  impostor.accounts.set('bob', service.accounts.get('bob')!)
  const fake = await join(t, impostor, 'alice')
  await fake.client.send('bob', 'not hers')
  service.stored.push({ ...impostor.stored[0]!, index: 2 })
  service.lies.set('alice', impostor.accounts.get('alice')!.keys)
  t.same(await textsOf(bob), ['hers', null])
  t.match(bob.notices.at(-1), { name: 'alice', what: 'untrusted' })
})

t.test(
  'new keys that the old ones sign are accepted with a notice; old messages still open',
  async (t) => {
    const service = await begin(t)
    const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
    await alice.client.send('bob', 'for the first key')
    await bob.client.send('alice', 'by the first key')
    const first = bob.client.account!.fingerprint
    const { fingerprint } = await bob.client.rotateKey('pw', { bits: 2048 })
    t.not(fingerprint, first)
    t.equal((await bob.client.keys('bob')).length, 2)
    const again = await client(t, service, alice.store)
    await again.client.login('alice', 'pw')
    await again.client.send('bob', 'for the second key')
    t.match(again.notices, [{ name: 'bob', what: 'rotated', before: first, fingerprint }])
    t.same(await textsOf(bob), ['for the first key', 'for the second key'])
    await bob.client.send('alice', 'by the second key')
    t.same(await textsOf(again), ['by the first key', 'by the second key'])
    await t.rejects(bob.client.rotateKey('wrong', { bits: 2048 }), { name: 'NO_KEYS' })

    service.lies.set('bob', service.accounts.get('bob')!.keys.slice(1))
    const third = await client(t, service, alice.store)
    await third.client.login('alice', 'pw')
    await t.rejects(third.client.send('bob', 'x'), { name: 'UNTRUSTED_KEY' }, 'keys of before')
  },
)

t.test(
  'a change of password changes the key file; a refused change leaves the file unchanged',
  async (t) => {
    const service = await begin(t)
    const alice = await join(t, service, 'alice')
    await t.rejects(alice.client.changePassword('wrong', 'new'), { name: 'BAD_CREDENTIALS' })
    await alice.client.changePassword('pw', 'new')
    const again = await client(t, service, alice.store)
    await again.client.login('alice', 'new')
    t.equal(again.client.account!.fingerprint, alice.client.account!.fingerprint)
  },
)

t.test('a log-in to a client-held account needs its own key file', async (t) => {
  const service = await begin(t)
  const alice = await join(t, service, 'alice')
  const elsewhere = await client(t, service, new Store())
  await t.rejects(elsewhere.client.login('alice', 'pw'), { name: 'NO_KEYS' })
  t.equal(elsewhere.client.user, null)
  elsewhere.store.keys.set(
    'alice',
    alice.store.keys.get('alice')!.replace('"troca-test"', '"other"'),
  )
  await t.rejects(elsewhere.client.login('alice', 'pw'), /key file of alice in cluster other/)
  service.lies.set('alice', published_(new Person('alice')))
  const again = await client(t, service, alice.store)
  await t.rejects(again.client.login('alice', 'pw'), { name: 'UNTRUSTED_KEY' }, 'not its own keys')
  service.lies.clear()
  await t.rejects(alice.client.register('alice', 'pw', { endToEnd: true, bits: 2048 }), {
    name: 'NAME_TAKEN',
  })
  t.ok(alice.store.keys.has('alice'), 'the key file of before stays')
})

t.test(
  'a send to an account whose keys the service holds is plain text, or rejected with endToEnd',
  async (t) => {
    const service = await begin(t)
    service.addPlain('carol', 'key of carol')
    const alice = await join(t, service, 'alice')
    t.match(await alice.client.send('carol', 'olá'), { endToEnd: false })
    const insisted = alice.client.send('carol', 'a secret', { endToEnd: true })
    await t.rejects(insisted, { name: 'NOT_END_TO_END', definite: true })
    t.notMatch(heard(service), /a secret/)
    service.addPlain('carol', 'another key of carol')
    const again = await client(t, service, alice.store)
    await again.client.login('alice', 'pw')
    t.match(await again.client.send('carol', 'olá'), { endToEnd: false })
    t.match(again.notices, [{ name: 'carol', what: 'changed', before: 'key of carol' }])
  },
)

t.test('a service that claims to hold the keys gets no plain text', async (t) => {
  const service = await begin(t)
  const [alice] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  service.addPlain('alice', 'key of alice')
  const again = await client(t, service, alice.store)
  await t.rejects(again.client.login('alice', 'pw'), { name: 'UNTRUSTED_KEY' })
  await t.rejects(again.client.send('bob', 'a secret'), { name: 'NOT_LOGGED_IN' })
  t.notMatch(heard(service), /a secret/)
})

t.test('the time of a message is the signed one, not that of the service', async (t) => {
  const service = await begin(t)
  const [alice, bob] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  const before = Date.now()
  await alice.client.send('bob', 'now')
  const [message] = (await bob.client.inbox()).messages
  t.ok(message!.time >= before && message!.time <= Date.now(), 'the service says another')
})

t.test('a resend after a lost connection has the same bytes', async (t) => {
  const service = await begin(t)
  const [alice] = [await join(t, service, 'alice'), await join(t, service, 'bob')]
  const { script } = service
  let dropped = false
  service.script = (message, peer) => {
    if (message.type !== 'SEND_SEALED' || dropped) return script(message, peer)
    dropped = true
    peer.drop()
  }
  await alice.client.send('bob', 'once')
  const sends = service.heard.filter((message) => message.type === 'SEND_SEALED')
  t.equal(sends.length, 2)
  t.same(sends[0]!.sealed, sends[1]!.sealed)
})
