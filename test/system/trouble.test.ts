// A client that was once connected outlives trouble that others mend: here the authority is exchanged
// behind its back, and later the client is given the new one.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../clients/index.js'
import { Context } from '../../clients/cli/context.js'
import { authorityPem, makeAuthority } from '../../daemons/provision/certificates.js'
import { Cluster, PASSWORD } from './cluster.js'

t.setTimeout(120_000)

t.test('a wrong authority does not end a client that was connected', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 1 })
  await cluster.register('alice')
  const right = readFileSync(join(cluster.directory, 'ca.pem'), 'utf8')
  const { certificate: wrong } = await authorityPem(await makeAuthority('another'))
  let trusted = right
  const { ca: _ca, ...servers } = new Context({ dir: cluster.directory }).servers()
  const options = { ...servers, ca: () => trusted, user: 'alice', password: PASSWORD }
  const client = await connect({ ...options, timeoutMs: 60_000 })
  t.teardown(() => client.abandon('the test is over'))
  const reasons: string[] = []
  client.events.on('retrying', ({ reason }) => reasons.push(reason))

  trusted = wrong
  const p1 = cluster.replica('p1')
  await p1.kill()
  p1.start()
  await cluster.until('the client says why it cannot connect', () =>
    Promise.resolve(reasons.some((reason) => /could not be trusted/.test(reason)) || null),
  )
  const sending = client.send('alice', 'in spite of all')
  trusted = right
  t.match(await sending, { seq: 1 })
  t.equal(new Set(reasons).size, reasons.length, 'each reason is told once')

  await t.rejects(connect({ ...options, ca: wrong, timeoutMs: 5_000 }), { name: 'BROKEN_PEER' })
})
