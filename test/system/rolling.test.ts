// troca restart --rolling under pm2, as an operator uses it: every replica is another process
// afterwards, and no client has seen an error.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { connect } from '../../clients/index.js'
import { Context } from '../../clients/cli/context.js'
import { freeBasePort } from '../../clients/cli/free-ports.js'
import { Supervisor } from '../../clients/cli/supervisor.js'
import { troca } from '../clients/cli-cluster.js'
import { Load, faultsOf, readMailbox } from './load.js'

t.setTimeout(280_000)

t.test('all replicas are restarted while clients send', async (t) => {
  const directory = join(t.testdir(), 'r')
  const ports = ['--base-port', String(await freeBasePort()), '--key-bits', '2048']
  const run = async (...args: string[]) => {
    const ended = await troca(directory, args)
    t.equal(ended.code, 0, `troca ${args.join(' ')}: ${ended.stderr}`)
    return ended
  }
  const without = await troca(directory, ['restart', '--rolling'])
  t.match(without, { code: 1, stderr: /no replica of this folder runs under troca up/ })
  t.teardown(() => new Supervisor(directory).stop())
  await run('up', ...ports, '--timeout', '60')
  const options = { ...new Context({ dir: directory }).servers(), timeoutMs: 60_000 }
  const alice = await connect(options)
  const bob = await connect(options)
  t.teardown(() => {
    alice.abandon('the test is over')
    bob.abandon('the test is over')
  })
  await alice.register('alice', 'correct horse')
  await bob.register('bob', 'correct horse')
  const load = new Load(bob, 'alice').start()
  await load.more(50)

  const supervisor = new Supervisor(directory)
  const before = new Map((await supervisor.list()).map(({ name, pid }) => [name, pid]))
  const { stdout } = await run('restart', '--rolling')
  t.match(stdout, /restarted one after the other, each caught up: s1 s2 s3 p\d p\d p\d/)
  const after = await supervisor.list()
  for (const { name, pid } of after) t.not(pid, before.get(name), `${name} is another process`)
  t.ok(
    after.every(({ restarts }) => restarts === 0),
    'wanted restarts are no sign of trouble',
  )

  await load.more(50)
  await load.stop()
  const errors = load.sent.filter(({ index }) => index === null)
  t.same(errors, [], 'no send has failed')
  t.same(faultsOf(await readMailbox(alice), [load]), [])

  // Without a restart: another replica leads, and another level of the log counts.
  const status = JSON.parse((await run('status', '--json')).stdout) as { coordinator: number }
  const leader = `p${status.coordinator}`
  const other = leader === 'p1' ? 'p2' : 'p1'
  const { stdout: resigned } = await run('resign', leader)
  t.match(resigned, new RegExp(`${leader} has resigned; p\\d coordinates`))
  t.notMatch(resigned, `${leader} coordinates`)
  t.match(await troca(directory, ['resign', 's1']), { code: 1, stderr: /s1 does not coordinate/ })
  await run('log-level', other, 'error')
  const told = () =>
    readFileSync(join(directory, 'logs', `${other}.log`), 'utf8').includes('"event":"log-level"')
  while (!told()) await bob.send('alice', 'while the file is looked at')
  const unknown = await troca(directory, ['log-level', 'p9', 'debug'])
  t.match(unknown, { code: 1, stderr: /p9 is no replica of this cluster/ })

  // A rolling restart does not begin while one replica is missing.
  await supervisor.stopOne('s2')
  const refused = await troca(directory, ['restart', '--rolling'])
  t.match(refused, { code: 1, stderr: /s2 does not serve .*troca doctor/ })
  const s1 = (await supervisor.list()).find(({ name }) => name === 's1')
  t.equal(s1?.pid, after.find(({ name }) => name === 's1')?.pid)

  // The slot of a replica under pm2 is replaced, and the newcomer joins by itself.
  const replaced = await run('replace', 's2', '--yes')
  t.match(replaced.stdout, /s2 is replaced: generation 2.*\ns2 has caught up and serves/)
  t.match(readFileSync(join(directory, 'cluster.yaml'), 'utf8'), /generation: 2/)
  await run('down')
})
