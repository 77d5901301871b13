// Certificate renewal while a cluster serves, without any interruption.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { connect as connectTls } from 'node:tls'
import { once } from 'node:events'
import { X509Certificate } from 'node:crypto'
import t from 'tap'
import { Cluster } from './cluster.js'
import type { Replica } from './replica.js'

t.setTimeout(120_000)

/** Fingerprint of the certificate that the replica shows. */
async function shown({ place }: Replica): Promise<string> {
  const socket = connectTls({ host: '127.0.0.1', port: place.port, rejectUnauthorized: false })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

const told = (replica: Replica, event: string): number =>
  replica.log().filter((line) => line.event === event).length

t.test('certificates are renewed while the cluster runs', async (t) => {
  const cluster = await Cluster.start(t, { processing: 2, persistence: 3 })
  const certificate = (name: string) => join(cluster.directory, 'certificates', `${name}.pem`)
  const ofFile = (name: string) =>
    new X509Certificate(readFileSync(certificate(name))).fingerprint256
  const alice = await cluster.register('alice')
  await alice.send('alice', 'under the first')
  const before = new Map(cluster.replicas.map(({ name }) => [name, ofFile(name)]))
  const expiry = async (replica: Replica) => {
    const figures = await replica.metrics()
    return figures['troca_certificate_expiry_timestamp_seconds{certificate="own"}']!
  }
  const expiries = await Promise.all(cluster.replicas.map(expiry))

  const renewed = await cluster.troca('alice', ['init', '--renew', '--json'])
  t.equal(renewed.code, 0, renewed.stderr)
  await cluster.until('all have taken up the new ones', async () => {
    const all = cluster.replicas.every((one) => told(one, 'certificates-reloaded') > 0)
    return all ? true : null
  })
  for (const [i, replica] of cluster.replicas.entries()) {
    const { name } = replica
    t.not(ofFile(name), before.get(name))
    t.equal(await shown(replica), ofFile(name), `${name} shows the new one`)
    t.ok((await expiry(replica)) >= expiries[i]!, `${name}: the metric follows`)
  }
  await alice.send('alice', 'the session of before goes on')
  await (await cluster.logIn('alice')).send('alice', 'and new ones come')

  // A restarted replica links with the others, whichever certificates they use.
  const s2 = cluster.replica('s2')
  await s2.kill()
  s2.start()
  await cluster.untilCaughtUp(s2)
  await alice.send('alice', 'with s2')

  // A pair that does not fit is not used, not even on SIGHUP.
  const p1 = cluster.replica('p1')
  const mended = readFileSync(certificate('p1'))
  writeFileSync(certificate('p1'), readFileSync(certificate('p2')))
  p1.hangUp()
  await cluster.until('p1 has refused it', async () =>
    told(p1, 'certificates-refused') > 0 ? true : null,
  )
  const refused = p1.log().findLast(({ event }) => event === 'certificates-refused')
  t.match(refused?.reason, /do not fit together; the one before stays in use/)
  writeFileSync(certificate('p1'), mended)
  p1.hangUp()
  t.equal(await shown(p1), ofFile('p1'))
  await alice.send('alice', 'in the end')
  const ends = cluster.replicas.map(({ unexpectedEnds }) => unexpectedEnds).flat()
  t.same(ends, [], 'no replica was stopped by a signal')
})
