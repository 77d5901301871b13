// Bundles of machines and clients: what is in them, what is not, and that an empty store is handed
// out once.

import { X509Certificate } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { extract, list } from 'tar'
import t from 'tap'
import type { Test } from 'tap'
import { bundleClient, bundleMachine } from '../../../daemons/provision/bundle.js'
import { makeCluster } from '../../../daemons/provision/cluster.js'
import { pathsOf, readConfig } from '../../../daemons/provision/config.js'
import { placesOf } from '../../../daemons/provision/places.js'
import { renewCertificates } from '../../../daemons/provision/issuance.js'
import { Store } from '../../../daemons/storage/store.js'
import { START, chained, messageDraft } from '../storage/log-maker.js'

const MACHINES = 'a=10.0.0.1,b=10.0.0.2,c=10.0.0.3'

async function cluster(t: Test) {
  const directory = join(t.testdir(), 'troca')
  const { config: file } = await makeCluster({
    ...{ directory, processing: 3, persistence: 3, basePort: 7400, keyBits: 2048 },
    ...{ registration: 'open', tls: true },
    ...placesOf([], MACHINES),
  })
  return {
    directory,
    file,
    config: readConfig(file),
    out: (name: string) => join(t.testdirName, name),
  }
}

async function namesIn(file: string): Promise<string[]> {
  const names: string[] = []
  await list({ file, onReadEntry: ({ path, type }) => void (type === 'File' && names.push(path)) })
  return names.sort()
}

t.test('a machine gets its own keys and its empty store, and nothing else', async (t) => {
  const { file, config, out } = await cluster(t)
  const made = await bundleMachine(config, file, 'b', out('b.tar.gz'))
  t.match(made, { replicas: ['p2', 's2'], stores: ['s2'] })
  t.equal(statSync(made.file).mode & 0o777, 0o600, 'keys are in it')
  const certificates = ['p2.key', 'p2.pem', 's2.key', 's2.pem'].map((one) => `certificates/${one}`)
  const files = ['ca.pem', ...certificates, 'client.json', 'cluster.yaml', 'data/s2.db', 'machine']
  t.same(await namesIn(made.file), files.sort())
})

t.test('what a bundle lays out can be used', async (t) => {
  const { file, config, out } = await cluster(t)
  const made = await bundleMachine(config, file, 'a', out('a.tar.gz'))
  const cwd = out('laid')
  mkdirSync(cwd)
  await extract({ file: made.file, cwd })
  const laid = readConfig(join(cwd, 'cluster.yaml'))
  const { key, certificate, data } = pathsOf(laid, 's1')
  t.equal(statSync(key).mode & 0o777, 0o600)
  const ca = new X509Certificate(readFileSync(join(cwd, 'ca.pem')))
  t.ok(new X509Certificate(readFileSync(certificate)).verify(ca.publicKey))
  const { store, recovered } = (await Store.open(data))!
  t.equal(recovered.genesis.clusterId, config.clusterId)
  await store.close()
  t.equal(readFileSync(join(cwd, 'machine'), 'utf8'), 'a\n')
  t.match(JSON.parse(readFileSync(join(cwd, 'client.json'), 'utf8')), {
    servers: [{ host: '10.0.0.1' }, { host: '10.0.0.2' }, { host: '10.0.0.3' }],
  })
})

t.test('an empty store is handed out once, and a used one never', async (t) => {
  const { directory, file, config, out } = await cluster(t)
  t.same((await bundleMachine(config, file, 'b', out('1.tar.gz'))).stores, ['s2'])
  t.notOk(existsSync(pathsOf(config, 's2').data), 'it is gone from the folder')
  const second = await bundleMachine(config, file, 'b', out('2.tar.gz'))
  t.same(second.stores, [])
  t.notOk((await namesIn(second.file)).includes('data/s2.db'))

  const { data } = pathsOf(config, 's3')
  const { store } = (await Store.open(data))!
  await t.resolves(bundleMachine(config, file, 'c', out('3.tar.gz')), 'in use: left where it is')
  await store.write({ batches: chained(START, [messageDraft('a', 1, 1)]), commit: 0 })
  await store.close()
  t.same((await bundleMachine(config, file, 'c', out('4.tar.gz'))).stores, [])
  t.ok(existsSync(data), 'a log stays')
  t.same(
    readdirSync(join(directory, 'data'))
      .filter((name) => name.endsWith('.db'))
      .sort(),
    ['s1.db', 's3.db'],
  )
})

t.test('a bundle that cannot be made changes nothing, and says why', async (t) => {
  const { file, config, out } = await cluster(t)
  const no = (machine: string, to = 'x.tar.gz') => bundleMachine(config, file, machine, out(to))
  await t.rejects(no('d'), /no replica on a machine d; machines: a, b, c/)
  rmSync(pathsOf(config, 'p2').key)
  await t.rejects(no('b'), /p2.key is not here; it is needed for p2. make bundles where troca init/)
  t.ok(existsSync(pathsOf(config, 's2').data))
  await renewCertificates(file)
  await no('b')
  await t.rejects(no('b'), /exists and is not overwritten/)
  await t.rejects(no('a', 'none/x.tar.gz'), /ENOENT/)
  t.ok(existsSync(pathsOf(config, 's1').data))
  const moved = { ...config, directory: '/elsewhere' }
  await t.rejects(bundleMachine(moved, file, 'a', out('y.tar.gz')), /has directory \/elsewhere/)
  t.same(readdirSync(t.testdirName).sort(), ['troca', 'x.tar.gz'], 'no draft is left')
})

t.test('a client gets no secret', async (t) => {
  const { file, config, out } = await cluster(t)
  const made = await bundleClient(config, file, out('client.tar.gz'))
  t.same(await namesIn(made.file), ['ca.pem', 'client.json'])
})
