// Each wrong pairing of certificate, claim, port and message is refused: with one ERROR if TLS lets
// the connection come so far, one line in the log and one count.

import t from 'tap'
import { makeAuthority } from '../../../daemons/provision/certificates.js'
import type { Credentials } from '../../../daemons/net/credentials.js'
import type { Replica } from '../../../daemons/net/identity.js'
import type { Message, The } from '../../../protocol/messages/catalogue.js'
import { ERRORS, type ErrorName } from '../../../protocol/errors.js'
import { BarePeer } from './bare-peer.js'
import { credentialsOf, startToy, type Toy } from '../runtime/toy-replica.js'

const P1 = { role: 'processing', slot: 1 } as const
const P2 = { role: 'processing', slot: 2 } as const
const P3 = { role: 'processing', slot: 3 } as const
const S1 = { role: 'persistence', slot: 1 } as const
const S2 = { role: 'persistence', slot: 2 } as const
/** A certificate that the cluster's authority signed, but not of a replica. */
const CLIENT = { role: 'client', slot: 1 } as unknown as Replica

const DAY_MS = 86_400_000
const days = (from: number, to: number) => ({
  notBefore: new Date(Date.now() + from * DAY_MS),
  notAfter: new Date(Date.now() + to * DAY_MS),
})

interface Pairing {
  readonly name: string
  readonly at: Toy
  readonly certificate?: Credentials | undefined
  readonly hello: Partial<The<'HELLO'>>
  /** Message sent after the WELCOME. */
  readonly then?: Message
  readonly code: ErrorName
  readonly text: RegExp
}

async function pairings(p2: Toy, s1: Toy): Promise<Pairing[]> {
  const stranger = await makeAuthority('troca-toy')
  const p1 = await credentialsOf(P1)
  const p3 = await credentialsOf(P3)
  const FORBIDDEN = { code: 'FORBIDDEN' } as const
  const BAD_STATE = { code: 'BAD_STATE' } as const
  const turn = {
    ...{ type: 'REQUEST', epoch: { counter: 1, slot: 1 }, stamp: 1, clock: 1 },
    ...{ installed: { counter: 1, slot: 1 }, promised: { counter: 1, slot: 1 } },
    incarnation: { counter: 1, nonce: '' },
  } as unknown as The<'REQUEST'>
  const fenced: Message = { type: 'GAP', id: 1, expected: 1 }
  const ring: Message = { type: 'REJECTED', requests: [1], reason: 'overloaded' }
  const deleted: Message = { type: 'DELETED', request: 1, index: 1 }
  const asks: Message = { type: 'STATUS', request: 1 }
  return [
    {
      ...{ name: 'a client that says it is a replica', at: p2, hello: P3 },
      ...{ ...FORBIDDEN, text: /no certificate given; one for troca:.*processing\/3 is needed/ },
    },
    {
      ...{ name: 'a client at a persistence replica', at: s1, hello: {} },
      ...{ ...FORBIDDEN, text: /clients connect to processing/ },
    },
    {
      ...{ name: 'a client certificate as a replica', at: p2, hello: P3 },
      ...{ certificate: await credentialsOf(CLIENT), ...FORBIDDEN, text: /is not that of troca:/ },
    },
    {
      ...{ name: 'processing as persistence', at: s1, certificate: await credentialsOf(P2) },
      ...{ hello: S2, ...FORBIDDEN, text: /is not that of troca:.*persistence\/2/ },
    },
    {
      ...{ name: 'persistence as processing', at: p2, certificate: await credentialsOf(S1) },
      ...{ hello: P3, ...FORBIDDEN, text: /is not that of troca:.*processing\/3/ },
    },
    {
      ...{ name: 'of another slot', at: s1, certificate: await credentialsOf(P2) },
      ...{ hello: P1, ...FORBIDDEN, text: /is not that of troca:.*processing\/1/ },
    },
    {
      ...{ name: 'signed by the authority of another cluster', at: s1, hello: P1 },
      certificate: await credentialsOf(P1, stranger),
      ...{ ...FORBIDDEN, text: /not of this cluster's authority/ },
    },
    {
      ...{ name: 'expired', at: s1, hello: P1 },
      certificate: await credentialsOf(P1, undefined, days(-9, -1)),
      ...{ ...FORBIDDEN, text: /has expired; renew it: troca init --renew/ },
    },
    {
      ...{ name: 'not yet valid', at: s1, hello: P1 },
      certificate: await credentialsOf(P1, undefined, days(1, 9)),
      ...{ ...FORBIDDEN, text: /not valid yet; compare the clocks/ },
    },
    {
      ...{ name: 'who is to be dialled dials', at: s1, certificate: await credentialsOf(S1) },
      ...{ hello: S1, ...FORBIDDEN, text: /s1 accepts no connection from s1/ },
    },
    {
      ...{ name: 'a slot beyond the last', at: s1, certificate: p1 },
      ...{ hello: { ...P1, slot: 7 }, ...FORBIDDEN, text: /accepts no connection from p7/ },
    },
    {
      ...{ name: 'a replica of another cluster', at: s1, certificate: p1 },
      hello: { ...P1, clusterId: 'troca-other' },
      ...{ code: 'WRONG_CLUSTER', text: /this is cluster troca-toy/ },
    },
    {
      ...{ name: 'a replica of another history', at: s1, certificate: p1 },
      hello: { ...P1, historyId: '0'.repeat(32) },
      ...{
        code: 'WRONG_HISTORY',
        text: /p1 has history 0{32}, s1 has first; the log was restored/,
      },
    },
    {
      ...{ name: 'another generation of the slot', at: s1, hello: P1 },
      certificate: await credentialsOf({ ...P1, generation: 2 }),
      ...{ ...FORBIDDEN, text: /is not that of troca:.*processing\/1; if it was replaced/ },
    },
    {
      ...{ name: 'a client says what a processing replica may', at: p2, hello: {}, then: ring },
      ...{ ...BAD_STATE, text: /REJECTED is not for a client to send/ },
    },
    {
      ...{ name: 'a client says what a persistence replica may', at: p2, hello: {}, then: fenced },
      ...{ ...BAD_STATE, text: /GAP is not for a client to send/ },
    },
    {
      ...{ name: 'processing asks persistence for the turn', at: s1, certificate: p1, hello: P1 },
      ...{ then: turn, ...BAD_STATE, text: /REQUEST is not for a processing replica to send/ },
    },
    {
      ...{ name: 'a processing replica speaks as a client', at: p2, certificate: p3, hello: P3 },
      ...{ then: asks, ...BAD_STATE, text: /STATUS is not for a processing replica to send/ },
    },
    {
      ...{ name: 'a client says what only a replica answers', at: p2, hello: {}, then: deleted },
      ...{ ...BAD_STATE, text: /DELETED is not for a client to send/ },
    },
    {
      ...{ name: 'processing says what only persistence answers', at: s1, certificate: p1 },
      ...{ hello: P1, then: fenced, ...BAD_STATE, text: /GAP is not for a processing replica/ },
    },
    {
      ...{ name: 'the ring talks to persistence', at: s1, certificate: p1, hello: P1 },
      ...{ then: ring, ...BAD_STATE, text: /REJECTED is not for a processing replica to send/ },
    },
  ]
}

t.test('wrong pairings are refused, logged and counted', async (t) => {
  const p2 = await startToy(P2)
  const s1 = await startToy(S1)
  t.teardown(() => (p2.stop(), s1.stop()))
  for (const { name, at, certificate, hello, then, code, text } of await pairings(p2, s1)) {
    const before = at.links.traffic.refused.get(code) ?? 0
    const lines = at.logged.all.length
    const peer = await BarePeer.connect(at.port, certificate)
    const { localPort } = peer.socket
    const welcomed = peer.hello(hello)
    if (then) {
      await welcomed
      peer.say(then)
    }
    const error = await peer.hears('ERROR')
    await peer.closed
    t.match(error.text, text, name)
    t.equal(error.code, ERRORS[code].code, `${name}: ${code}`)
    const expected = [{ event: 'link-refused', fields: { code, reason: error.text } }]
    t.match(at.logged.all.slice(lines), expected, `${name}: one line`)
    t.equal(at.logged.all.length, lines + 1)
    t.equal(at.logged.all.at(-1)!.fields['address'], `127.0.0.1:${localPort}`, 'from where')
    t.equal(at.links.traffic.refused.get(code), before + 1, `${name}: counted`)
    if (!then)
      t.notOk(
        peer.heard.all.some(({ type }) => type === 'WELCOME'),
        'not let in',
      )
  }
  t.same(
    [...p2.machine.of('message'), ...s1.machine.of('message')],
    [],
    'no machine has seen a message',
  )
})

t.test('a dialled peer with another identity gets no link', async (t) => {
  const cases = [
    ['another slot', await credentialsOf(S2), /not that of troca:.*persistence\/1/],
    ['another tier', await credentialsOf(P1), /not that of troca:.*persistence\/1/],
    ['a client', await credentialsOf(CLIENT), /not that of troca:.*persistence\/1/],
    [
      'another authority',
      await credentialsOf(S1, await makeAuthority('x')),
      /certificate|signature/,
    ],
    ['expired', await credentialsOf(S1, undefined, days(-9, -1)), /expired/],
    ['not yet valid', await credentialsOf(S1, undefined, days(1, 9)), /not yet valid/],
  ] as const
  for (const [name, credentials, why] of cases) {
    const s1 = await startToy(S1, [], { credentials })
    const p1 = await startToy(P1, [{ ...S1, port: s1.port }])
    const told = await p1.logged.find(({ event }) => event === 'dial-failed')
    t.match(told.fields, { peer: 's1', address: `127.0.0.1:${s1.port}`, reason: why }, name)
    // After several tries the failure is still logged once for each lane.
    const tries = () => s1.links.traffic.refused.get('TLS') ?? 0
    while (tries() < 6) await new Promise(setImmediate)
    t.equal(p1.logged.all.filter(({ event }) => event === 'dial-failed').length, 2, 'once a lane')
    t.match(s1.logged.all[0], { event: 'tls-failed' })
    t.ok(p1.links.failedDials.get('s1')! > 2, 'each is counted')
    t.same(p1.machine.of('link-up'), [])
    p1.stop()
    s1.stop()
  }
})

t.test('a replaced replica loses its link, and only its successor gets one', async (t) => {
  const s1 = await startToy(S1, [{ ...P1, port: 1 }])
  t.teardown(() => s1.stop())
  const old = await credentialsOf(P1)
  const before = await BarePeer.connect(s1.port, old)
  await before.hello(P1)
  const others = [{ ...P1, host: '127.0.0.1', port: 1 }]
  t.same(s1.links.update(others), [], 'the same list changes nothing')
  t.same(s1.links.update([{ ...others[0]!, generation: 2 }]), ['p1'])
  await before.closed
  t.match(await s1.machine.first('link-down'), { reason: 'p1 was replaced' })
  const again = await BarePeer.connect(s1.port, old)
  void again.hello(P1)
  t.match(await again.refusal(), /is not that of troca:.*processing\/1\/2; if it was replaced/)
  const successor = await BarePeer.connect(s1.port, await credentialsOf({ ...P1, generation: 2 }))
  t.match(await successor.hello(P1), { role: 'persistence', slot: 1, historyId: 'first' })
  successor.socket.destroy()
})

t.test('plain TCP at a TLS port is refused, and TLS at a plain port', async (t) => {
  const p1 = await startToy(P1)
  const plain = await startToy(P2, [], { credentials: null })
  t.teardown(() => (p1.stop(), plain.stop()))
  const peer = await BarePeer.connectPlain(p1.port)
  void peer.hello()
  await peer.closed
  const failed = await p1.logged.find(({ event }) => event === 'tls-failed')
  t.match(failed.fields, { address: '127.0.0.1', reason: /record|version|packet/i })
  t.equal(p1.links.traffic.refused.get('TLS'), 1)
  await t.rejects(BarePeer.connect(plain.port))
  t.match((await plain.logged.find(({ event }) => event === 'link-refused')).fields, {
    code: 'BAD_FRAME',
  })
})
