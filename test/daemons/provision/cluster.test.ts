// The files that init makes: a cluster file that can be read back, certificates with the replicas'
// identities, and stores to start from, which the audit finds sound.

import { execFile } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import t from 'tap'
import { makeCluster } from '../../../daemons/provision/cluster.js'
import { pathsOf, readConfig } from '../../../daemons/provision/config.js'
import { checkCredentials, readCredentials } from '../../../daemons/net/credentials.js'
import { carriesUri, nameOf, uriOf } from '../../../daemons/net/identity.js'
import { renewCertificates } from '../../../daemons/provision/issuance.js'
import { Store } from '../../../daemons/storage/store.js'
import { START, chained, messageDraft } from '../storage/log-maker.js'

const DAEMONS = fileURLToPath(new URL('../../../daemons/', import.meta.url))
const plan = {
  processing: 3,
  persistence: 3,
  basePort: 7400,
  keyBits: 2048,
  registration: 'open' as const,
  host: '127.0.0.1',
  tls: true,
}

async function run(
  script: string,
  ...given: string[]
): Promise<{ code: number; out: string; err: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [
      DAEMONS + script,
      ...given,
    ])
    return { code: 0, out: stdout, err: stderr }
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string }
    return { code, out: stdout, err: stderr }
  }
}

t.test('init makes a whole cluster', async (t) => {
  const directory = join(t.testdir(), 'troca')
  const { clusterId, config: file } = await makeCluster({ ...plan, directory })
  const config = readConfig(file)
  t.equal(config.clusterId, clusterId)
  const ports = config.replicas.map(({ port, debugPort }) => [port, debugPort])
  t.same(ports[0], [7401, 7411])
  t.same(ports[5], [7423, 7433])

  const authority = new X509Certificate(readFileSync(join(directory, 'ca.pem')))
  for (const name of ['p1', 's3']) {
    const { certificate, key } = pathsOf(config, name)
    const leaf = new X509Certificate(readFileSync(certificate))
    t.ok(leaf.verify(authority.publicKey), `${name} is of the authority`)
    const tier = name === 'p1' ? 'processing/1' : 'persistence/3'
    t.ok(carriesUri(leaf.subjectAltName, `troca://${clusterId}/${tier}`), name)
    t.ok(leaf.checkIP('127.0.0.1') && leaf.checkHost('localhost'))
    t.equal(statSync(key).mode & 0o777, 0o600)
  }
  t.not(carriesUri('URI:troca://a/processing/12', 'troca://a/processing/1'), 'whole URIs only')

  const { store, recovered } = (await Store.open(pathsOf(config, 's2').data))!
  t.same(recovered.genesis, { clusterId, historyId: config.historyId, slots: 3 })
  t.match(config.historyId, /^[0-9a-f]{32}$/, 'the history is random')
  t.same(recovered.view, { epoch: { counter: 0, slot: 0 }, members: [] })
  await store.close()
  const client: unknown = JSON.parse(readFileSync(join(directory, 'client.json'), 'utf8'))
  t.match(client, {
    clusterId,
    tls: true,
    ca: 'ca.pem',
    servers: [{ slot: 1, port: 7401 }],
    needed: 2,
  })
  await t.rejects(makeCluster({ ...plan, directory }), /has a cluster in it/)
})

t.test('renewed certificates are of the same authority', async (t) => {
  const directory = join(t.testdir(), 'troca')
  const { config: file, clusterId } = await makeCluster({ ...plan, directory })
  const config = readConfig(file)
  const files = (name: string) => {
    const { ca, certificate, key } = pathsOf(config, name)
    return readCredentials({ ca, certificate, key })
  }
  const before = files('p1')
  const renewed = await run('init.js', '--dir', directory, '--renew', '--json')
  t.same(JSON.parse(renewed.out), { renewed: ['p1', 'p2', 'p3', 's1', 's2', 's3'] }, renewed.err)
  for (const replica of config.replicas) {
    const name = nameOf(replica)
    t.ok(checkCredentials(files(name), uriOf(clusterId, replica)), `${name} fits`)
    t.equal(statSync(pathsOf(config, name).key).mode & 0o777, 0o600)
  }
  const after = files('p1')
  t.equal(after.ca, before.ca)
  t.not(after.certificate, before.certificate)
  t.not(after.key, before.key, 'a key of its own too')

  const key = join(directory, 'certificates', 'ca.key')
  writeFileSync(key, after.key)
  await t.rejects(renewCertificates(file), /ca.pem and ca.key do not fit together/)
  rmSync(key)
  const without = await run('init.js', '--dir', directory, '--renew')
  t.match(without, { code: 1, err: /ca.key cannot be read \(ENOENT\); the authority/ })
  t.same(files('p1'), after, 'a failed renewal changes no file')
})

t.test('a cluster that cannot be made leaves nothing behind', async (t) => {
  const directory = join(t.testdir(), 'troca')
  await t.rejects(makeCluster({ ...plan, directory, persistence: 2 }), /an odd number/)
  t.same(readdirSync(dirname(directory)), [])
})

t.test('init and audit run as commands', async (t) => {
  const directory = join(t.testdir(), 'troca')
  const made = await run('init.js', '--dir', directory, '--plain', '--json')
  t.equal(made.code, 0, made.err)
  t.match(JSON.parse(made.out), { directory })
  t.match(await run('init.js', '--dir', directory), { code: 1, err: /has a cluster in it/ })
  t.match(await run('init.js', '--dir', `${directory}2`, '--key-bits', '9'), {
    code: 1,
    err: /2048/,
  })
  t.match(await run('audit.js', '--dir', directory), { code: 0, out: /all files agree/ })

  const config = readConfig(join(directory, 'cluster.yaml'))
  const same = chained(START, [messageDraft('a', 1, 1), messageDraft('a', 1, 2)])
  const other = chained(START, [messageDraft('b', 1, 1), messageDraft('b', 1, 2)])
  for (const [name, log] of [
    ['s1', same],
    ['s2', same],
    ['s3', other],
  ] as const) {
    const { store } = (await Store.open(pathsOf(config, name).data))!
    await store.write({ batches: log, commit: name === 's3' ? 0 : 2 })
    await store.close()
  }
  const args = ['audit.js', '--dir', directory, '--json'] as const
  t.match(JSON.parse((await run(...args)).out), { agree: true }, 'uncommitted entries may differ')
  const { store } = (await Store.open(pathsOf(config, 's3').data))!
  await store.write({ commit: 1 })
  await store.close()
  const differs = await run(...args)
  t.equal(differs.code, 1)
  t.match(JSON.parse(differs.out), { agree: false, files: [{}, {}, { fault: /differs.*entry 1/ }] })
})
