// The systemd units of troca service: paths are quoted, and systemd itself accepts them.

import { spawnSync } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import { userInfo } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import { unitOf } from '../../clients/cli/units.js'
import { troca } from './cli-cluster.js'

t.setTimeout(120_000)

const replica = (name: string) => ({
  ...{ name, machine: 'a', host: '10.0.0.1', listen: '10.0.0.1', port: 7401 },
  ...{ debugHost: '127.0.0.1', debugPort: 7411 },
})

t.test('a path of any characters reaches the daemon as it is', async (t) => {
  const plan = { user: 'troca', prefix: 'troca', dir: '/srv/100% $HOME/a "b"' }
  const { name, text } = unitOf(replica('s1'), plan)
  t.equal(name, 'troca-s1.service')
  t.match(text, /--config "\/srv\/100%% \$\$HOME\/a \\"b\\"\/cluster\.yaml" --slot 1$/m)
  t.match(text, 'WorkingDirectory=/srv/100%% $HOME/a "b"\n')
  t.match(text, 'ReadWritePaths="/srv/100%% $HOME/a \\"b\\""\n')
  t.match(text, /persistence\.js/)
})

t.test('a home folder is hidden unless it is needed', async (t) => {
  const at = (dir: string) => unitOf(replica('p1'), { user: 'troca', prefix: 'x', dir }).text
  t.match(at('/home/ana/.troca'), 'ProtectHome=read-only')
  t.match(at('/root/.troca'), 'ProtectHome=read-only')
  t.match(at('/var/tmp/troca'), 'PrivateTmp=no')
  t.match(at('/srv/troca'), 'PrivateTmp=yes')
})

const found = spawnSync('systemd-analyze', ['--version']).status === 0

t.test('systemd finds no fault', { skip: found ? false : 'no systemd-analyze' }, async (t) => {
  const dir = join(t.testdir(), 'a cluster')
  const made = await troca(dir, ['init', '--key-bits', '2048', '--base-port', '21000'])
  t.equal(made.code, 0, made.stderr)
  const folder = join(t.testdirName, 'units')
  mkdirSync(folder)
  const { username } = userInfo()
  const args = ['service', 'install', '--unit-dir', folder, '--user', username]
  const installed = await troca(dir, args)
  t.match(installed, { code: 0, stdout: /systemctl enable --now troca-p1\.service troca-p2/ })
  const names = readdirSync(folder).sort()
  t.equal(names.length, 6)
  const units = names.map((name) => join(folder, name))
  const { status, stderr } = spawnSync('systemd-analyze', ['verify', '--man=no', ...units], {
    encoding: 'utf8',
  })
  const own = stderr.split('\n').filter((line) => line.includes('troca-'))
  t.same(own, [], 'no complaint about a unit')
  t.equal(status, 0, stderr)
  const printed = await troca(dir, ['service', 'print', '--json'])
  t.equal((JSON.parse(printed.stdout) as { units: unknown[] }).units.length, 6)
})
