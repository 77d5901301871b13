// troca doctor against real replicas: its findings in a healthy cluster and in a faulty one, and
// its advice, which helps when it is followed.

import { chmodSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:tls'
import { once } from 'node:events'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { authorityOf, issue } from '../../daemons/provision/certificates.js'
import { readConfig } from '../../daemons/provision/config.js'
import { nameOf } from '../../daemons/net/identity.js'
import { Cluster } from './cluster.js'

t.setTimeout(120_000)

interface Finding {
  readonly check: string
  readonly subject: string
  readonly verdict: 'ok' | 'warn' | 'fail'
  readonly text: string
  readonly next?: string
}

async function examine(cluster: Cluster) {
  const { code, stdout, stderr } = await cluster.troca('alice', ['doctor', '--json'])
  if (stdout === '') throw new Error(stderr)
  const { ok, findings } = JSON.parse(stdout) as { ok: boolean; findings: Finding[] }
  const find = (check: string, subject = ''): Finding | undefined =>
    findings.find((one) => one.check === check && one.subject === subject)
  const wrong = findings.filter(({ verdict }) => verdict !== 'ok')
  return { code, ok, findings, find, wrong }
}

async function impostor(t: Test, port: number, directory: string, name: string): Promise<void> {
  const read = (end: string) => readFileSync(join(directory, 'certificates', `${name}.${end}`))
  const server = createServer({ cert: read('pem'), key: read('key') })
  server.listen(port, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
}

t.test('the doctor finds faults, and its advice helps', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 3 })
  const { directory } = cluster
  const at = (name: string) => join(directory, 'certificates', name)

  const well = await examine(cluster)
  // These replicas are children of the test, so pm2 does not know them.
  t.match(well.wrong, [{ check: 'pm2', verdict: 'warn', next: /troca up/ }])
  t.equal(well.wrong.length, 1)
  t.match(well, { code: 0, ok: true })
  for (const check of ['certificate', 'port', 'ready', 'clock']) {
    for (const { name } of cluster.replicas) t.match(well.find(check, name)?.verdict, 'ok')
  }
  for (const check of ['node', 'permissions', 'disk', 'majority']) {
    t.equal(well.find(check)?.verdict, 'ok', check)
  }
  const { stdout: table } = await cluster.troca('alice', ['doctor'])
  t.match(table, /ok +│ ready +│ p1 s1 s2 s3 +│ serves/, 'equal findings share a row')

  await cluster.replica('s3').kill()
  await cluster.replica('s2').kill()
  const stranger = cluster.replica('s2').place.port
  await impostor(t, stranger, directory, 's1')
  chmodSync(at('s2.key'), 0o644)
  const p1 = readFileSync(at('p1.pem'))
  writeFileSync(at('p1.pem'), readFileSync(at('s1.pem')))
  const ill = await examine(cluster)
  t.match(ill, { code: 1, ok: false })
  t.match(ill.find('port', 's3'), { verdict: 'fail', text: /ECONNREFUSED/, next: /troca up/ })
  t.match(ill.find('ready', 's3'), { verdict: 'fail', next: /s3\.log/ })
  t.match(ill.find('port', 's2'), { verdict: 'fail', text: /not that of troca:.*persistence\/2/ })
  const key = at('s2.key')
  t.match(ill.find('permissions', 'certificates/s2.key'), { next: `chmod 600 ${key}` })
  t.match(ill.find('certificate', 'p1'), {
    ...{ verdict: 'fail', text: /do not fit together/ },
    next: 'troca init --renew',
  })
  t.match(ill.find('majority'), { verdict: 'fail', text: /1 of 3/, next: /: s2 s3$/ })
  for (const { next } of ill.wrong) t.ok(next, 'each says what to do next')

  // The advice helps.
  writeFileSync(at('p1.pem'), p1)
  chmodSync(key, 0o600)
  t.equal(statSync(key).mode & 0o777, 0o600)
  const mended = await examine(cluster)
  t.equal(mended.find('certificate', 'p1')?.verdict, 'ok')
  t.equal(mended.find('permissions')?.verdict, 'ok')

  // Certificates that expire soon, and expired ones, by the clock of the machine that checks.
  const read = (path: string) => readFileSync(path, 'utf8')
  const certificate = read(join(directory, 'ca.pem'))
  const authority = await authorityOf({ certificate, key: read(at('ca.key')) })
  const issueUntil = async (replica: Parameters<typeof issue>[2], days: number) => {
    const notAfter = new Date(Date.now() + days * 86_400_000)
    const valid = { notBefore: new Date(0), notAfter }
    const { clusterId } = readConfig(join(directory, 'cluster.yaml'))
    const issued = await issue(authority, clusterId, replica, ['127.0.0.1'], valid)
    writeFileSync(at(`${nameOf(replica)}.key`), issued.key)
    writeFileSync(at(`${nameOf(replica)}.pem`), issued.certificate)
  }
  await issueUntil({ role: 'processing', slot: 1 }, 10.5)
  await issueUntil({ role: 'persistence', slot: 1 }, -1)
  const ending = await examine(cluster)
  t.match(ending.find('certificate', 'p1'), { verdict: 'warn', text: 'expires in 10 days' })
  t.match(ending.find('certificate', 's1'), { verdict: 'fail', text: /expired on/ })
  t.match(ending.find('port', 's1'), { verdict: 'warn', text: /certificate of before/ })

  const file = join(directory, 'cluster.yaml')
  const text = readFileSync(file, 'utf8')
  writeFileSync(file, `${text}\ndebugHost: 0.0.0.0\n`)
  t.match((await examine(cluster)).find('debug-host', 'cluster.yaml'), { verdict: 'warn' })
  const s3 = cluster.replica('s3')
  s3.start()
  await cluster.until(
    's3 has said so too',
    async () =>
      s3.log().some(({ event, level }) => event === 'debug-port-open' && level === 'warn') || null,
  )
  writeFileSync(file, text.replace('keyBits: 2048', 'keyBits: 17'))
  const broken = await examine(cluster)
  t.match(broken.find('config', 'cluster.yaml'), {
    ...{ verdict: 'fail', text: /limits.keyBits is 17; needed: 2048/ },
    next: `edit ${file}`,
  })
  t.equal(broken.code, 1)
  writeFileSync(file, text)
})
