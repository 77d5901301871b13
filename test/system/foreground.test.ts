// Replicas without pm2, and pm2 without an answer: `troca run`, and a `troca down` that ends.

import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { freeBasePort } from '../../clients/cli/free-ports.js'
import { run } from '../../clients/cli/programs.js'
import { Supervisor } from '../../clients/cli/supervisor.js'
import { startGuard } from './guard.js'

t.setTimeout(280_000)

const CLI = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))
const guard = startGuard()

function environment(dir: string) {
  const { PATH, HOME } = process.env
  return { PATH, HOME, LANG: 'C', NO_COLOR: '1', TROCA_DIR: dir, TROCA_PASSWORD: 'correct horse' }
}

/** Makes a cluster. Its folder is no testdir: it goes only after what runs in it has ended. */
async function made(t: Test): Promise<string> {
  const root = mkdtempSync(join(tmpdir(), 'troca-foreground-'))
  const dir = join(root, 'troca')
  t.teardown(async () => {
    await troca(dir, 'down')
    rmSync(root, { recursive: true, force: true })
  })
  const shape = ['--processing', '1', '--persistence', '1', '--key-bits', '2048']
  const args = ['init', ...shape, '--base-port', String(await freeBasePort())]
  const { code, stderr } = await run(CLI, args, { env: environment(dir) })
  if (code !== 0) throw new Error(stderr)
  return dir
}

const troca = (dir: string, ...args: string[]) => run(CLI, args, { env: environment(dir) })

t.test('troca run is the replica itself: its output, its signals, its exit code', async (t) => {
  const dir = await made(t)
  const replicas = ['s1', 'p1'].map((name) => {
    const child = spawn(process.execPath, [CLI, 'run', name], { env: environment(dir) })
    guard.started(child.pid!)
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>
    void ended.then(() => guard.ended(child.pid!))
    let said = ''
    child.stdout.on('data', (chunk) => (said += String(chunk)))
    return { child, ended, said: () => said }
  })
  t.teardown(() => replicas.forEach(({ child }) => child.kill('SIGKILL')))
  const registered = await troca(dir, 'register', 'alice', '--timeout', '60')
  t.equal(registered.code, 0, registered.stderr)
  const p1 = replicas[1]!
  t.match(p1.said(), /"replica":"p1".*"event":"started"/)
  const environ = readFileSync(`/proc/${p1.child.pid}/cmdline`, 'latin1')
  t.match(environ, /run\0p1/, 'one process')
  p1.child.kill('SIGTERM')
  t.same(await p1.ended, [0, null], 'drained')
  replicas[0]!.child.kill('SIGINT')
  t.same(await replicas[0]!.ended, [0, null])
  t.match(await troca(dir, 'run', 'p9'), { code: 2, stderr: /no replica p9; replicas: p1 s1/ })
})

t.test('troca down ends the replicas of a pm2 that does not answer', async (t) => {
  const dir = await made(t)
  const up = await troca(dir, 'up', '--timeout', '60')
  t.equal(up.code, 0, up.stderr)
  const supervisor = new Supervisor(dir)
  const pids = (await supervisor.list()).map(({ pid }) => pid)
  t.equal(pids.length, 2)
  process.kill(Number(readFileSync(join(supervisor.home, 'pm2.pid'), 'utf8')), 'SIGSTOP')
  t.match(await troca(dir, 'down'), { code: 0, stdout: /nothing is left running/ })
  for (const pid of pids) t.throws(() => process.kill(pid, 0), { code: 'ESRCH' })
  const again = await troca(dir, 'up', '--timeout', '60')
  t.equal(again.code, 0, again.stderr)
})
