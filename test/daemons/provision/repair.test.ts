// Backup, restore and recover on files alone: what they keep, what they refuse, and that a refusal
// changes nothing.

import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import * as tar from 'tar'
import { makeBackup, verifyBackup } from '../../../daemons/provision/backup.js'
import { changeClusterFile } from '../../../daemons/provision/cluster-file.js'
import { makeCluster } from '../../../daemons/provision/cluster.js'
import { pathsOf, readConfig, type ClusterConfig } from '../../../daemons/provision/config.js'
import { planRecovery, recoverCluster, whileStopped } from '../../../daemons/provision/recover.js'
import { replaceReplica } from '../../../daemons/provision/replace.js'
import { restore } from '../../../daemons/provision/restore.js'
import { auditFile } from '../../../daemons/storage/audit.js'
import { Connection } from '../../../daemons/storage/connection.js'
import { Store } from '../../../daemons/storage/store.js'
import { daemonProgram, run } from '../../../clients/cli/programs.js'
import { START, chained, endOf, messageDraft, termDraft } from '../storage/log-maker.js'
import type { Batch } from '../../../protocol/entries/batch.js'
import { NO_FENCE, advanceFence } from '../../../protocol/entries/fence.js'
import { FIRST_HISTORY } from '../../../protocol/entries/origin.js'
import type { View } from '../../../protocol/entries/incarnation.js'

const STORES = ['s1', 's2', 's3']
const NONE = new Map<string, number>()

const term = chained(START, [termDraft], 1, 0)
const entries = (count: number): Batch[] => {
  const drafts = Array.from({ length: count }, (_, i) => messageDraft('alice', 1, i + 1))
  return [...term, ...chained(endOf(term.at(-1)!), drafts)]
}

const viewOf = (counter: number): View => ({ epoch: { counter, slot: 1 }, members: [] })

async function write(
  config: ClusterConfig,
  name: string,
  batches: readonly Batch[],
  commit: number,
  epoch = 1,
): Promise<void> {
  const { store } = (await Store.open(pathsOf(config, name).data))!
  const view = viewOf(epoch)
  await store.write({ batches, commit, view, promised: view.epoch })
  await store.close()
}

async function made(t: Test): Promise<{ config: ClusterConfig; file: string; directory: string }> {
  const directory = join(t.testdir(), 'cluster')
  const plan = { processing: 1, persistence: 3, basePort: 7400, keyBits: 2048 }
  const shape = { registration: 'open', host: '127.0.0.1', tls: true } as const
  const { config: file } = await makeCluster({ ...plan, ...shape, directory })
  return { config: readConfig(file), file, directory }
}

const lastOfFile = async (config: ClusterConfig, name: string): Promise<number> => {
  const { last, commit, fault, genesis } = await auditFile(pathsOf(config, name).data)
  if (fault) throw new Error(fault)
  if (commit !== last) throw new Error(`${name}: ${commit} of ${last} committed`)
  if (genesis?.historyId !== config.historyId) throw new Error(`${name}: another history`)
  return last
}

t.test('a stopped cluster comes back from its backup, in another history', async (t) => {
  const { config, file, directory } = await made(t)
  for (const name of STORES) await write(config, name, entries(5), 4)
  const out = join(t.testdirName, 'kept', 'a.backup')
  const backup = await makeBackup(config, file, { out, keys: true, committed: NONE })
  t.equal(backup.index, 6, 'what a majority of the files holds is in it, known as committed or not')
  t.equal(statSync(out).mode & 0o777, 0o600, 'it holds keys')
  t.same(readdirSync(join(t.testdirName, 'kept')), ['a.backup'], 'no draft is left')
  t.equal((await verifyBackup(out)).index, 6)
  await t.rejects(makeBackup(config, file, { out, keys: true, committed: NONE }), /not overwritten/)
  await t.rejects(restore(out, directory), /has a cluster in it and is not overwritten/)

  const elsewhere = join(t.testdirName, 'new')
  const { historyId, newAuthority } = await restore(out, elsewhere)
  const restored = readConfig(join(elsewhere, 'cluster.yaml'))
  t.equal(newAuthority, false)
  t.equal(restored.historyId, historyId)
  t.not(historyId, config.historyId)
  t.equal(restored.clusterId, config.clusterId)
  for (const name of STORES) t.equal(await lastOfFile(restored, name), 6, name)
  const { store, recovered } = (await Store.open(pathsOf(restored, 's2').data))!
  await store.close()
  t.same(recovered.view, { epoch: { counter: 0, slot: 0 }, members: [] })
  t.same(recovered.incarnation, { counter: 1, nonce: '' }, 'every file votes')
  t.same(recovered.durable.promised, { counter: 1, slot: 2 }, 'views go on above those of the log')
  const key = join(elsewhere, 'certificates', 's1.key')
  t.equal(statSync(key).mode & 0o077, 0, 'keys are readable by their owner alone')
  t.same(readFileSync(key), readFileSync(join(directory, 'certificates', 's1.key')))
})

t.test('of a running cluster only committed entries are taken', async (t) => {
  const { config, file } = await made(t)
  for (const name of STORES) await write(config, name, entries(5), 2)
  const out = join(t.testdirName, 'a.backup')
  const committed = new Map([['s2', 4]])
  const backup = await makeBackup(config, file, { out, keys: false, committed })
  t.match(backup, { from: 's2', index: 4, keys: false })
  const ahead = { out: join(t.testdirName, 'b'), keys: true, committed: new Map([['s1', 9]]) }
  t.match((await makeBackup(config, file, ahead)).unfit, [/s1.db ends at 6, .* 9 are committed/])
  const elsewhere = join(t.testdirName, 'new')
  const { newAuthority } = await restore(out, elsewhere)
  t.equal(newAuthority, true, 'without keys there is a new authority')
  t.not(
    readFileSync(join(elsewhere, 'ca.pem'), 'utf8'),
    readFileSync(join(config.directory, 'ca.pem'), 'utf8'),
  )
  t.equal(await lastOfFile(readConfig(join(elsewhere, 'cluster.yaml')), 's1'), 4)
})

t.test('a damaged file is not backed up, another one is', async (t) => {
  const { config, file } = await made(t)
  for (const name of STORES) await write(config, name, entries(40), 41, name === 's1' ? 2 : 1)
  const { data } = pathsOf(config, 's1')
  const bytes = readFileSync(data)
  const at = bytes.indexOf('alice 1 20 alice 1 20 ')
  bytes.write('x', at)
  writeFileSync(data, bytes)
  const out = join(t.testdirName, 'a.backup')
  const backup = await makeBackup(config, file, { out, keys: true, committed: NONE })
  t.not(backup.from, 's1')
  t.match(backup.unfit, [/s1\.db.*is damaged/])
})

t.test('what is no whole backup is refused', async (t) => {
  const { config, file } = await made(t)
  for (const name of STORES) await write(config, name, entries(5), 6)
  const at = (name: string) => join(t.testdirName, name)
  await makeBackup(config, file, { out: at('good'), keys: true, committed: NONE })
  const opened = at('opened')
  mkdirSync(opened)
  await tar.extract({ file: at('good'), cwd: opened })
  const names = ['backup.json', 'log.db', 'cluster.yaml', 'client.json']
  const packed = async (name: string, files: readonly string[]): Promise<string> => {
    await tar.create({ file: at(name), cwd: opened }, [...files])
    return at(name)
  }
  writeFileSync(at('text'), 'no archive at all, but long enough to be one'.repeat(40))
  writeFileSync(at('cut'), readFileSync(at('good')).subarray(0, 20_000))
  await t.rejects(verifyBackup(at('absent')), /is missing/)
  await t.rejects(verifyBackup(at('text')), /is not a whole backup/)
  await t.rejects(verifyBackup(at('cut')), /is not a whole backup/)
  await t.rejects(verifyBackup(await packed('some', names.slice(1))), /has no backup.json/)
  await t.rejects(
    verifyBackup(await packed('fewer', names.slice(0, 3))),
    /client.json is not in it/,
  )
  writeFileSync(join(opened, 'evil.sh'), 'rm -rf /')
  const evil = await packed('evil', [...names, 'evil.sh'])
  await t.rejects(verifyBackup(evil), /it holds "evil.sh"/)

  const log = readFileSync(join(opened, 'log.db'))
  const whole = [...names, 'ca.pem', 'certificates']
  const changed = Buffer.from(log)
  changed.write('x', changed.indexOf('alice 1 3 '))
  writeFileSync(join(opened, 'log.db'), changed)
  rmSync(join(opened, 'evil.sh'))
  const all = readdirSync(join(opened, 'certificates')).map((name) => join('certificates', name))
  const damaged = await packed('damaged', [...names, 'ca.pem', ...all])
  await t.rejects(verifyBackup(damaged), /is damaged: log.db is not what was saved/)
  await t.rejects(restore(damaged, at('never')), /is damaged/)
  t.notOk(existsSync(at('never')), 'nothing is left of a failed restore')
  t.ok(whole)
})

t.test('the intact one of three files becomes the cluster', async (t) => {
  const { config, file, directory } = await made(t)
  // s2 and s3 were put back from copies that are older, and went on by themselves in a later view.
  await write(config, 's1', entries(10), 11)
  const others = [
    ...entries(4),
    ...chained(endOf(entries(4).at(-1)!), [messageDraft('bob', 9, 1)], 1, 9),
  ]
  for (const name of ['s2', 's3']) await write(config, name, others, 6, 3)
  const wish = { from: ['s1'], orderTime: null }
  const plan = await planRecovery(config, wish)
  t.match(plan, { kept: 's1', last: 11, complete: false })
  t.match(plan.files, [
    { name: 's1', common: 11 },
    { name: 's2', last: 6, common: 5 },
    { name: 's3' },
  ])
  t.equal(
    (await planRecovery(config, { from: [], orderTime: null })).kept,
    's2',
    'by itself: the view',
  )

  const open = (await Store.open(pathsOf(config, 's3').data))!
  await t.rejects(
    whileStopped(config, () => Promise.reject(new Error('it runs'))),
    /s3 is running; stop the cluster first/,
  )
  await open.store.close()

  const { newHistoryId, before } = await whileStopped(config, () =>
    recoverCluster(config, file, wish),
  )
  const recovered = readConfig(file)
  t.equal(recovered.historyId, newHistoryId)
  t.match(recovered, { clusterId: config.clusterId, replicas: config.replicas })
  for (const name of STORES) t.equal(await lastOfFile(recovered, name), 11, name)
  t.same(
    readdirSync(before)
      .filter((name) => name.endsWith('.db'))
      .sort(),
    ['s1.db', 's2.db', 's3.db'],
  )
  t.same(
    readdirSync(join(directory, 'data')).filter((name) => name.endsWith('.draft')),
    [],
  )
  t.equal((await auditFile(join(before, 's2.db'))).last, 6, 'the files of before are kept')
  cpSync(join(before, 's3.db'), pathsOf(recovered, 's3').data)
  const { code, stdout } = await run(daemonProgram('audit'), ['--dir', directory])
  t.equal(code, 1)
  t.match(stdout, /s3  is of history [0-9a-f]{32}; cluster.yaml names/)
})

t.test('recover names what it cannot use', async (t) => {
  const { config } = await made(t)
  for (const name of STORES) await write(config, name, entries(3), 4)
  rmSync(pathsOf(config, 's2').data)
  writeFileSync(pathsOf(config, 's3').data, 'no database')
  const from = (...names: string[]) => planRecovery(config, { from: names, orderTime: null })
  await t.rejects(from('s2'), /s2.db is missing; name a replica whose file is sound/)
  await t.rejects(from('s3'), /s3.*name a replica whose file is sound/)
  await t.rejects(from('p1'), /the persistence replicas are s1, s2, s3/)
  t.match(await from(), { kept: 's1', files: [{}, { state: 'missing' }, { state: 'damaged' }] })
  rmSync(pathsOf(config, 's1').data)
  await t.rejects(from(), /no sound file is left.*troca restore/)
})

t.test('the time of orders is set back', async (t) => {
  const { config, file } = await made(t)
  for (const name of STORES) await write(config, name, entries(3), 4)
  const ahead = 1_790_000_000_004
  const at = ahead - 86_400_000
  const wish = { from: [], orderTime: at }
  t.equal((await planRecovery(config, wish)).time, ahead)
  await t.rejects(planRecovery(config, { from: [], orderTime: ahead }), /nothing to set back/)
  await recoverCluster(config, file, wish)
  const { store, recovered } = (await Store.open(pathsOf(config, 's1').data))!
  await store.close()
  t.match(recovered.fence, { term: 2, time: at, owner: { slot: 0 } })
  // Also for a replica that builds its state from entry 1.
  t.equal(recovered.tail.reduce(advanceFence, NO_FENCE).time, at)
  t.equal(recovered.durable.last, 5, 'the log has a TERM of nobody at its end')
})

t.test('a replaced replica has the next generation, and no file', async (t) => {
  const { config, file } = await made(t)
  for (const name of STORES) await write(config, name, entries(3), 4)
  const { certificate, data } = pathsOf(config, 's2')
  const old = readFileSync(certificate, 'utf8')
  const open = (await Store.open(data))!
  await t.rejects(replaceReplica(file, 's2'), /is in use by another process/)
  t.same(readConfig(file), config, 'nothing has changed')
  await open.store.close()
  await t.rejects(replaceReplica(file, 's4'), /its replicas are p1, s1, s2, s3/)

  const { generation, before } = await replaceReplica(file, 's2', '127.0.0.9')
  const after = readConfig(file)
  t.equal(generation, 2)
  t.notOk(existsSync(data))
  t.ok(existsSync(before!))
  t.match(
    after.replicas.find(({ role, slot }) => role === 'persistence' && slot === 2),
    {
      generation: 2,
      host: '127.0.0.9',
    },
  )
  t.not(readFileSync(certificate, 'utf8'), old)
  await replaceReplica(file, 'p1', '127.0.0.8')
  const client = readFileSync(join(config.directory, 'client.json'), 'utf8')
  t.match(JSON.parse(client), { servers: [{ slot: 1, host: '127.0.0.8' }] })
  cpSync(before!, data)
})

t.test(
  'a cluster from before histories had ids has the first one, until it is recovered',
  async (t) => {
    const { config, file, directory } = await made(t)
    for (const name of STORES) {
      await write(config, name, entries(3), 4)
      const connection = await Connection.open(pathsOf(config, name).data, 'write')
      const genesis = JSON.stringify({ clusterId: config.clusterId, slots: 3 })
      await connection.run("UPDATE state SET value = ? WHERE key = 'genesis'", genesis)
      await connection.close()
    }
    changeClusterFile(file, (document) => void document.delete('historyId'))
    const before = readConfig(file)
    t.equal(before.historyId, FIRST_HISTORY)
    const { store, recovered } = (await Store.open(pathsOf(before, 's1').data))!
    await store.close()
    t.equal(recovered.genesis.historyId, FIRST_HISTORY)
    t.equal((await run(daemonProgram('audit'), ['--dir', directory])).code, 0)
    await recoverCluster(before, file, { from: [], orderTime: null })
    const after = readConfig(file)
    t.match(after.historyId, /^[0-9a-f]{32}$/)
    for (const name of STORES) t.equal(await lastOfFile(after, name), 4, name)
  },
)
