// Repair by people on a real cluster: a cluster put back from a backup while clients come with old
// positions; files put back from old copies; false promises of a stolen key; a replaced replica.

import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { Client } from '../../clients/index.js'
import { readCredentials } from '../../daemons/net/credentials.js'
import { pathsOf, readConfig } from '../../daemons/provision/config.js'
import { begin } from '../../daemons/storage/log-copy.js'
import { BarePeer } from '../daemons/net/bare-peer.js'
import { Cluster } from './cluster.js'
import { readMailbox } from './load.js'
import type { Replica } from './replica.js'

t.setTimeout(280_000)

const PARTS = ['', '-wal', '-shm']

function copyStore(from: string, to: string): void {
  for (const part of PARTS) {
    rmSync(`${to}${part}`, { force: true })
    if (existsSync(`${from}${part}`)) copyFileSync(`${from}${part}`, `${to}${part}`)
  }
}

async function sendMany(from: Client, what: string, count: number): Promise<string[]> {
  const texts = Array.from({ length: count }, (_, i) => `${what} ${i}`)
  await Promise.all(texts.map((text) => from.send('alice', text)))
  return texts
}

const textsOf = async (client: Client): Promise<(string | null)[]> =>
  (await readMailbox(client)).map(({ text }) => text)

async function stopAll(cluster: Cluster): Promise<void> {
  await Promise.all(cluster.replicas.filter(({ runs }) => runs).map((replica) => replica.stop()))
}

async function startAll(cluster: Cluster): Promise<void> {
  for (const replica of cluster.replicas) replica.start()
  await cluster.untilSettled()
}

/** Requests that wait while the history changes are rejected, so the test waits for the clients. */
async function startRecovered(cluster: Cluster, clients: readonly Client[]): Promise<void> {
  await startAll(cluster)
  const { historyId } = readConfig(join(cluster.directory, 'cluster.yaml'))
  await cluster.until('the clients have seen the new history', () =>
    Promise.resolve(clients.every((client) => client.historyId === historyId) || null),
  )
}

/** Runs a command that must succeed. */
async function command(t: Test, cluster: Cluster, ...args: string[]): Promise<string> {
  const { code, stdout, stderr } = await cluster.troca('alice', args)
  t.equal(code, 0, `troca ${args[0]}: ${stderr}`)
  return `${stderr}${stdout}`
}

t.test('a cluster is put back from a backup, and clients come with old positions', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const kept = await sendMany(bob, 'kept', 40)
  const backup = join(t.testdirName, 'monday.backup')
  const said = await command(t, cluster, 'backup', backup)
  t.match(said, /monday\.backup: \d+ entries up to .* from the file of s\d; with the private keys/)
  t.match(
    await command(t, cluster, 'backup', '--verify', backup),
    /is whole: .*\nIt is of|It is of/,
  )
  const again = await cluster.troca('alice', ['backup', backup])
  t.match(again, { code: 1, stderr: /exists and is not overwritten/ })

  await sendMany(bob, 'lost', 40)
  // The command keeps a read mark, and a listener a position, beyond the end of the backup.
  await command(t, cluster, 'login', 'alice', '--no-save')
  await command(t, cluster, 'inbox')
  const arriving = alice.messages({ after: 0 })
  for (let n = 0; n < 80; n++) await arriving.next()
  const told: { from: string; to: string }[] = []
  alice.events.on('history', (event) => told.push(event))

  await stopAll(cluster)
  const context = readFileSync(join(cluster.directory, 'context.json'))
  const directory = join(t.testdirName, 'restored')
  const restored = await command(t, cluster, 'restore', backup, '--dir', directory, '--yes')
  t.match(restored, /nothing that was stored after that.*\n.*restored in .*: history [0-9a-f]{32}/)
  const refused = await cluster.troca('alice', ['restore', backup, '--yes'])
  t.match(refused, { code: 1, stderr: /has a cluster in it and is not overwritten/ })

  const second = await Cluster.at(t, directory)
  await cluster.until('the client has seen the other history', () =>
    Promise.resolve(told.length > 0 ? true : null),
  )
  t.match(told, [{ from: cluster.historyId, to: second.historyId }])
  const news = await sendMany(bob, 'new', 5)
  const got: (string | null)[] = []
  while (!got.includes(news.at(-1)!)) got.push((await arriving.next()).value!.text)
  t.same(
    got.filter((text) => text?.startsWith('new')),
    news,
    'the listener skips nothing',
  )
  t.same(await textsOf(alice), [...kept, ...news])

  // The command with its old context, in a folder of a client that talks to the new cluster.
  copyFileSync(join(directory, 'client.json'), join(cluster.directory, 'client.json'))
  t.same(readFileSync(join(cluster.directory, 'context.json')), context)
  const inbox = await command(t, cluster, 'inbox')
  t.match(inbox, /WARNING: the log of this cluster was restored or recovered/)
  for (const text of news) t.match(inbox, text)
  t.notMatch(await command(t, cluster, 'inbox'), /WARNING/, 'said once')

  // A replica of before is refused, and says why.
  const s1 = second.replica('s1')
  await s1.kill()
  const old = cluster.replica('s1')
  old.start()
  const refusal = await second.until('the old s1 is refused', async () => {
    const lines = [...second.replicas, old].flatMap((replica) => replica.log())
    return lines.find(({ reason }) => /has history/.test(reason ?? ''))?.reason ?? null
  })
  t.match(refusal, /[ps]\d has history [0-9a-f]+, [ps]\d has [0-9a-f]+; the log was restored/)
  await old.kill()
  s1.start()
  await second.untilCaughtUp(s1)
  t.ok((await second.audit()).agree)
})

t.test(
  'two of three files are put back from old copies: the third one is the cluster',
  async (t) => {
    const cluster = await Cluster.start(t)
    const alice = await cluster.register('alice')
    const bob = await cluster.register('bob')
    const texts = await sendMany(bob, 'old', 30)
    await stopAll(cluster)
    const copies = join(t.testdirName, 'copies')
    mkdirSync(copies)
    const stores = ['s2', 's3'].map((name) => cluster.replica(name))
    for (const { name, place } of stores) copyStore(place.data, join(copies, name))
    await startAll(cluster)
    texts.push(...(await sendMany(bob, 'newer', 30)))
    const running = await cluster.troca('alice', ['recover', '--from', 's1', '--yes'])
    t.match(running, { code: 1, stderr: /[ps]\d is running; stop the cluster first: troca down/ })
    await stopAll(cluster)
    for (const { name, place } of stores) copyStore(join(copies, name), place.data)

    const unasked = await cluster.troca('alice', ['recover', '--from', 's1'])
    t.match(unasked, { code: 2, stderr: /add --yes/ })
    t.match(unasked.stderr, /kept: the log of s1, \d+ entries/)
    t.match(unasked.stderr, /s2: \d+ entries, all of them in the kept log/)
    t.equal(readConfig(join(cluster.directory, 'cluster.yaml')).historyId, cluster.historyId)
    const said = await command(t, cluster, 'recover', '--from', 's1', '--yes')
    t.match(said, /recovered: history [0-9a-f]{32}; the files of before are in .*before-/)
    await startRecovered(cluster, [alice, bob])
    t.same(await textsOf(alice), texts, 'every acknowledged message is there')
    texts.push(...(await sendMany(bob, 'after', 5)))
    t.same(await textsOf(alice), texts)
    t.ok((await cluster.audit()).agree)
  },
)

/** Says to `target`, as s3 with its key, that all other files are not those that count any more. */
async function forge(cluster: Cluster, target: Replica): Promise<void> {
  const config = readConfig(join(cluster.directory, 'cluster.yaml'))
  const peer = await BarePeer.connect(target.place.port, readCredentials(pathsOf(config, 's3')))
  const { clusterId, historyId } = config
  await peer.hello({ clusterId, historyId, role: 'persistence', slot: 3, boot: 'fa11ed' })
  const { promised } = await peer.hears('VIEW_HEARTBEAT')
  const own = Number(target.name.slice(1))
  const others = [1, 2, 3].filter((slot) => slot !== own)
  peer.say({
    ...{ type: 'PREPARE', clock: 1, installed: promised, promised },
    incarnation: { counter: 1, nonce: '' },
    epoch: { counter: promised.counter + 1, slot: 3 },
    incarnations: others.map((slot) => ({ slot, incarnation: { counter: 9, nonce: 'f0' } })),
  })
  await peer.hears('PROMISE')
  peer.socket.destroy()
}

t.test('false promises of a stolen key stop the cluster; recover is the way out', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const texts = await sendMany(bob, 'before', 20)
  const [s1, s2, s3] = cluster.persistence as [Replica, Replica, Replica]
  await s3.kill()
  for (const target of [s1, s2]) await forge(cluster, target)
  await stopAll(cluster)
  for (const replica of cluster.replicas) replica.start()
  await cluster.until('down and up leave too few files', async () => {
    const states = await Promise.all(cluster.persistence.map((one) => one.line('view', 'status')))
    return states.filter((status) => status === 'learner').length >= 2 ? true : null
  })
  await t.rejects(bob.send('alice', 'in vain', { timeoutMs: 2_000 }), {
    name: /TIMEOUT|NO_QUORUM|NOT_READY|UNREACHABLE/,
  })
  t.ok((await cluster.audit()).agree, 'the files are sound and agree')
  await stopAll(cluster)
  const said = await command(t, cluster, 'recover', '--yes')
  t.match(said, /s\d: the same \d+ entries|all of them in the kept log/)
  t.match(said, /Every acknowledged message is in the kept log/)
  await startRecovered(cluster, [alice, bob])
  const now = await textsOf(alice)
  t.same(now.slice(0, texts.length), texts)
  const more = await sendMany(bob, 'after', 5)
  t.same((await textsOf(alice)).slice(-more.length), more)
})

t.test('a replaced replica catches up and votes; its old identity is refused', async (t) => {
  const cluster = await Cluster.start(t)
  const alice = await cluster.register('alice')
  const bob = await cluster.register('bob')
  const texts = await sendMany(bob, 'before', 20)
  const s3 = cluster.replica('s3')
  const config = readConfig(join(cluster.directory, 'cluster.yaml'))
  const stolen = readCredentials(pathsOf(config, 's3'))
  const early = await cluster.troca('alice', ['replace', 's3', '--yes'])
  t.match(early, { code: 1, stderr: /is in use by another process/ })
  await s3.kill()
  const said = await command(t, cluster, 'replace', 's3', '--yes')
  t.match(said, /s3 is replaced: generation 2/)
  await cluster.until('the others have taken it up', async () => {
    const knows = ({ log }: { log: () => { event: string }[] }) =>
      log().some(({ event }) => event === 'replicas-changed')
    return cluster.replicas
      .filter(({ runs }) => runs)
      .every((one) => knows({ log: () => one.log() }))
      ? true
      : null
  })
  const thief = await BarePeer.connect(cluster.replica('s1').place.port, stolen)
  const { clusterId, historyId } = config
  thief.say({
    ...{ type: 'HELLO', minVersion: 3, maxVersion: 3, clusterId, historyId },
    ...{ role: 'persistence', slot: 3, boot: 'fa11ed', lane: 'main' },
  })
  t.match(await thief.refusal(), /not that of troca:.*persistence\/3\/2/)

  s3.start()
  await cluster.untilCaughtUp(s3)
  t.equal(await s3.line('view', 'incarnation'), '2')
  // It votes: with s2 gone, s1 and s3 are the majority.
  await cluster.replica('s2').kill()
  texts.push(...(await sendMany(bob, 'with s3', 10)))
  t.same(await textsOf(alice), texts)
  cluster.replica('s2').start()
  await cluster.untilCaughtUp(cluster.replica('s2'))

  // Another replica cannot be replaced while too few of the others serve.
  await cluster.replica('s1').kill()
  const refused = await cluster.troca('alice', ['replace', 's2', '--yes'])
  t.match(refused, { code: 3, stderr: /only 1 of the other persistence replicas serve, and 2/ })
})

t.test('a log that is years ahead of the clocks is set back', async (t) => {
  const cluster = await Cluster.start(t, { processing: 1, persistence: 3 })
  const alice = await cluster.register('alice')
  await alice.send('alice', 'in time')
  await stopAll(cluster)
  const config = readConfig(join(cluster.directory, 'cluster.yaml'))
  const { clusterId, historyId } = config
  const genesis = { clusterId, historyId, slots: 3 }
  const ahead = Date.now() + 14 * 365 * 86_400_000
  const orderTime = { time: ahead, nonce: 'f0' }
  for (const { place } of cluster.persistence)
    await begin(place.data, { genesis, through: Infinity, orderTime })
  await startAll(cluster)
  t.equal((await alice.send('alice', 'years ahead')).time, ahead, 'time stands still')
  await stopAll(cluster)
  const from = Date.now()
  const said = await command(t, cluster, 'recover', '--set-time', 'now', '--yes')
  t.match(said, /Orders go on at 20\d\d-.*; the last one was of 20\d\d-/)
  await startRecovered(cluster, [alice])
  const { time } = await alice.send('alice', 'now')
  t.ok(time >= from && time < ahead, 'time goes on')
  t.same(await textsOf(alice), ['in time', 'years ahead', 'now'], 'every message still opens')
  for (const replica of cluster.processing) {
    await replica.stop()
    replica.start()
  }
  await cluster.untilSettled()
  t.ok((await alice.send('alice', 'after a restart')).time < ahead, 'also from the snapshot')
  await stopAll(cluster)
  const again = await cluster.troca('alice', ['recover', '--set-time', '2100-01-01', '--yes'])
  t.match(again, { code: 1, stderr: /nothing to set back/ })
})
