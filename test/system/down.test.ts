// troca down where pm2 does not answer: the command ends the replicas itself, and says so.

import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { freeBasePort } from '../../clients/cli/free-ports.js'
import { daemonProgram, run } from '../../clients/cli/programs.js'
import { Supervisor } from '../../clients/cli/supervisor.js'

t.setTimeout(200_000)

const CLI = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))

const alive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return true
  } catch {
    return false
  }
}

t.test('a pm2 that hangs does not keep the cluster from going down', async (t) => {
  const dir = join(t.testdir(), 'troca')
  const shape = ['--processing', '1', '--persistence', '1', '--key-bits', '2048']
  const ports = ['--base-port', String(await freeBasePort())]
  const made = await run(daemonProgram('init'), ['--dir', dir, ...shape, ...ports])
  t.equal(made.code, 0, made.stderr)
  const env = { PATH: process.env['PATH'], HOME: dir, LANG: 'C', NO_COLOR: '1', TROCA_DIR: dir }
  const troca = (...args: string[]) => run(CLI, args, { env })
  const up = await troca('up')
  const pids = readdirSync(join(dir, 'pids')).map((file) =>
    Number(readFileSync(join(dir, 'pids', file), 'utf8')),
  )
  t.teardown(() => {
    for (const pid of pids.filter(alive)) process.kill(pid, 'SIGKILL')
  })
  t.equal(up.code, 0, up.stderr)
  t.equal(pids.length, 2)
  t.ok(pids.every(alive))
  const daemon = Number(readFileSync(join(new Supervisor(dir).home, 'pm2.pid'), 'utf8'))
  process.kill(daemon, 'SIGSTOP')
  const down = await troca('down')
  t.equal(down.code, 0, down.stderr)
  t.match(down.stderr, /pm2 did not answer in time/)
  t.notOk([...pids, daemon].some(alive), 'nothing is left running')
  t.match((await troca('down')).stdout, /no replica was running/)
})
