// Certificate renewal without a restart: listener and diallers reload on a signal and when files
// change. Files that do not fit are refused, and the credentials in use stay in use.

import { once } from 'node:events'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import type { TLSSocket } from 'node:tls'
import t from 'tap'
import type { Test } from 'tap'
import { CredentialWatch } from '../../../daemons/net/credential-watch.js'
import type { Credentials } from '../../../daemons/net/credentials.js'
import { makeAuthority } from '../../../daemons/provision/certificates.js'
import { uriOf } from '../../../daemons/net/identity.js'
import type { Log, LogFields } from '../../../daemons/log/log.js'
import { BarePeer } from './bare-peer.js'
import { CLUSTER, Record, credentialsOf, ownAuthority, startToy } from '../runtime/toy-replica.js'

const P1 = { role: 'processing', slot: 1 } as const
const P2 = { role: 'processing', slot: 2 } as const
const S1 = { role: 'persistence', slot: 1 } as const
const DAY_MS = 86_400_000
const LOOK_EVERY_MS = 20

async function serialAt(port: number): Promise<string> {
  const peer = await BarePeer.connect(port)
  const { serialNumber } = (peer.socket as TLSSocket).getPeerCertificate()
  peer.socket.destroy()
  return serialNumber
}

t.test('new connections use the new pair; existing ones stay', async (t) => {
  const s1 = await startToy(S1)
  const p1 = await startToy(P1, [{ ...S1, port: s1.port }])
  t.teardown(() => (p1.stop(), s1.stop()))
  const { link } = await s1.machine.first('link-up')
  const before = await serialAt(s1.port)
  s1.links.renew(await credentialsOf(S1))
  t.not(await serialAt(s1.port), before, 'the listener shows another certificate')
  t.same(s1.machine.of('link-down'), [], 'the link is still there')

  // From now on p1 shows an expired certificate, which s1 refuses, and then a valid one again.
  const past = new Date(Date.now() - DAY_MS)
  const expired = { notBefore: new Date(0), notAfter: past }
  p1.links.renew(await credentialsOf(P1, undefined, expired))
  s1.links.close(link, 'for the test')
  const refused = await s1.logged.find(({ event }) => event === 'link-refused')
  t.match(refused.fields, { code: 'FORBIDDEN', reason: /has expired/ })
  const again = s1.machine.inputs.next(({ type }) => type === 'link-up')
  p1.links.renew(await credentialsOf(P1))
  await again
})

t.test('a TLS session cannot be resumed on an old certificate', async (t) => {
  const p1 = await startToy(P1)
  t.teardown(() => p1.stop())
  const ca = (await ownAuthority()).certificate.toString('pem')
  const { certificate: cert, key } = await credentialsOf(P2)
  const options = { port: p1.port, host: '127.0.0.1', ca, checkServerIdentity: () => undefined }
  const tickets: Buffer[] = []
  const first = connectTls({ ...options, cert, key })
  first.on('session', (ticket: Buffer) => tickets.push(ticket))
  await once(first, 'secureConnect')
  const peer = new BarePeer(first)
  // The answer to HELLO comes after the tickets, if there are any.
  await peer.hello({ ...P2 })
  const second = connectTls({ ...options, session: tickets[0] ?? first.getSession()! })
  await once(second, 'secureConnect')
  t.equal(second.isSessionReused(), false)
  first.destroy()
  second.destroy()
})

interface Kept {
  readonly watch: CredentialWatch
  readonly logged: Record<{ event: string; fields: LogFields }>
  readonly renewed: Credentials[]
  readonly write: (credentials: Partial<Credentials>) => void
}

async function watched(t: Test, first?: Partial<Credentials>): Promise<Kept> {
  const directory = t.testdir()
  const at = (name: string) => join(directory, name)
  const files = { ca: at('ca.pem'), certificate: at('p1.pem'), key: at('p1.key') }
  const write = (credentials: Partial<Credentials>): void => {
    for (const [name, pem] of Object.entries(credentials)) {
      writeFileSync(files[name as 'key'], pem)
    }
  }
  write({ ...(await credentialsOf(P1)), ...first })
  const logged = new Record<{ event: string; fields: LogFields }>()
  const log: Log = (_level, event, fields = {}) => logged.add({ event, fields })
  const renewed: Credentials[] = []
  const watch = new CredentialWatch({
    ...{ files, log, uri: uriOf(CLUSTER, P1), lookEveryMs: LOOK_EVERY_MS },
    renewed: (credentials) => renewed.push(credentials),
  })
  // The file watch must not keep the process alive.
  const alive = setInterval(() => {}, 1_000)
  t.teardown(() => (watch.stop(), clearInterval(alive)))
  return { watch, logged, renewed, write }
}

t.test('changed files are reloaded without a signal', async (t) => {
  const { watch, logged, renewed, write } = await watched(t)
  const fresh = await credentialsOf(P1)
  write({ key: fresh.key })
  const refused = await logged.find(({ event }) => event === 'certificates-refused')
  t.match(refused.fields['reason'], /do not fit together; the one before stays in use/)
  t.same(renewed, [], 'half a pair is not used')
  write({ certificate: fresh.certificate })
  await logged.find(({ event }) => event === 'certificates-reloaded')
  t.same(renewed, [fresh])
  t.same(watch.current, fresh)
})

t.test('files that do not fit are refused, on a change and on a signal', async (t) => {
  const { watch, logged, renewed, write } = await watched(t)
  const { current } = watch
  const good = await credentialsOf(P1)
  const ending = (from: number, to: number) => ({
    notBefore: new Date(Date.now() + from * DAY_MS),
    notAfter: new Date(Date.now() + to * DAY_MS),
  })
  const cases: [string, Credentials, RegExp][] = [
    ['cut short', { ...good, certificate: good.certificate.slice(0, 200) }, /half written/],
    ['an empty key', { ...good, key: '' }, /the key cannot be parsed/],
    ['another key', { ...good, key: (await credentialsOf(P1)).key }, /do not fit together/],
    ['another replica', await credentialsOf(P2), /is not that of troca:.*processing\/1/],
    [
      'another authority',
      await credentialsOf(P1, await makeAuthority('x')),
      /in ca.pem has signed/,
    ],
    ['no authority', { ...good, ca: '' }, /in ca.pem has signed/],
    ['expired', await credentialsOf(P1, undefined, ending(-2, -1)), /expired on/],
    ['not yet valid', await credentialsOf(P1, undefined, ending(1, 2)), /not valid before/],
  ]
  for (const [name, credentials, why] of cases) {
    write(credentials)
    watch.reload()
    const { event, fields } = logged.all.at(-1)!
    t.match([event, fields['reason']], ['certificates-refused', why], name)
    t.match(fields['reason'], /the one before stays in use/)
    t.equal(watch.current, current)
  }
  t.same(renewed, [])
  write(good)
  watch.reload()
  t.same(renewed, [good])
})

t.test('two authorities in ca.pem are both trusted, so that one can be replaced', async (t) => {
  const next = await makeAuthority(CLUSTER)
  const old = (await ownAuthority()).certificate.toString('pem')
  const both = `${old}\n${next.certificate.toString('pem')}\n`
  const { watch, renewed, write } = await watched(t, { ca: both })
  write({ ...(await credentialsOf(P1, next)), ca: both })
  watch.reload()
  t.equal(renewed.length, 1)
})

t.test('a start without a pair that fits fails; an expired pair is only logged', async (t) => {
  await t.rejects(watched(t, { key: (await credentialsOf(P1)).key }), /troca init --renew/)
  const past = { notBefore: new Date(0), notAfter: new Date(Date.now() - DAY_MS) }
  const { logged } = await watched(t, await credentialsOf(P1, undefined, past))
  t.match(logged.all, [{ event: 'certificate-not-valid', fields: { reason: /expired on/ } }])
})
