// The pm2 of one cluster. Its daemon, sockets and logs are in the cluster's folder, so that it
// touches no other programs. pm2 reports success too early; only the replicas' answers count.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PACKAGE_DIR, daemonEnvironment, run } from './programs.js'

/** Longest path of a socket here; Linux allows 107 bytes, macOS 103. */
const SOCKET_PATH_BYTES = 100
const STOP_POLL_MS = 50
const STOP_MS = 15_000

export interface Supervised {
  readonly name: string
  readonly pid: number
  /** State by pm2: online, stopping, stopped, launching, errored ... */
  readonly status: string
  readonly restarts: number
}

function alive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

export class Supervisor {
  readonly dir: string
  readonly home: string
  /** Text that pm2 wrote to stderr at the start. */
  #startErrors = ''

  constructor(dir: string) {
    this.dir = dir
    const inside = join(dir, 'pm2')
    const fits = Buffer.byteLength(join(inside, 'rpc.sock')) <= SOCKET_PATH_BYTES
    const short = createHash('sha256').update(dir).digest('hex').slice(0, 12)
    this.home = fits ? inside : join(tmpdir(), `troca-${short}`)
  }

  get running(): boolean {
    const pid = this.#daemonPid()
    return pid !== 0 && alive(pid)
  }

  async start(): Promise<void> {
    mkdirSync(this.home, { recursive: true, mode: 0o700 })
    const { stderr } = await this.#pm2('start', join(PACKAGE_DIR, 'ecosystem.config.js'))
    this.#startErrors = stderr.trim()
  }

  async list(): Promise<Supervised[]> {
    if (!this.running) return []
    const { stdout } = await this.#pm2('jlist')
    // pm2 may print lines of its own before the list.
    const line = stdout.split('\n').findLast((text) => text.startsWith('['))
    const list = JSON.parse(line ?? '[]') as {
      name: string
      pid: number
      pm2_env: { status: string; restart_time: number }
    }[]
    return list.map(({ name, pid, pm2_env }) => {
      return { name, pid, status: pm2_env.status, restarts: pm2_env.restart_time }
    })
  }

  /** Stops the processing replicas, then the others, then pm2's daemon; true if anything ran. */
  async stop(): Promise<boolean> {
    if (!this.running) return false
    const replicas = await this.list()
    const daemon = this.#daemonPid()
    const processing = replicas.filter(({ name }) => name.startsWith('p')).map(({ name }) => name)
    if (processing.length > 0) await this.#pm2('stop', ...processing)
    await this.#pm2('kill')
    const pids = [...replicas.map(({ pid }) => pid), daemon].filter((pid) => pid > 0)
    const until = performance.now() + STOP_MS
    while (pids.some(alive)) {
      if (performance.now() > until)
        for (const pid of pids.filter(alive)) process.kill(pid, 'SIGKILL')
      await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS))
    }
    if (!this.home.startsWith(this.dir)) rmSync(this.home, { recursive: true, force: true })
    return true
  }

  /** Stops one replica in good order; it stays in pm2's list. */
  async stopOne(name: string): Promise<void> {
    await this.#pm2('stop', name)
  }

  /** Stops one replica in good order, if it runs, and starts it. */
  async restartOne(name: string): Promise<void> {
    await this.#pm2('restart', name)
    // Only restarts that nobody asked for are a sign of trouble.
    await this.#pm2('reset', name)
  }

  logPath(name: string): string {
    return join(this.dir, 'logs', `${name}.err.log`)
  }

  /** The last telling line that a replica wrote, to stderr or to its log. */
  lastWords(name: string): string {
    const telling = /error|EADDR|cannot|fail|refus|in use|needed/i
    for (const path of [this.logPath(name), join(this.dir, 'logs', `${name}.log`)]) {
      if (!existsSync(path)) continue
      const lines = readFileSync(path, 'utf8').trim().split('\n')
      const spoken = lines.filter((line) => line.trim() !== '' && !/^\s+at /.test(line))
      const line = spoken.findLast((text) => telling.test(text)) ?? spoken.at(-1)
      if (line) return line.trim().slice(0, 300)
    }
    return this.#startErrors.split('\n').at(-1) || 'it wrote nothing to its logs'
  }

  #daemonPid(): number {
    const path = join(this.home, 'pm2.pid')
    return existsSync(path) ? Number(readFileSync(path, 'utf8')) : 0
  }

  #pm2(...args: string[]): ReturnType<typeof run> {
    const require = createRequire(import.meta.url)
    const program = join(require.resolve('pm2/package.json'), '..', 'bin', 'pm2')
    const env = daemonEnvironment({ PM2_HOME: this.home, TROCA_DIR: this.dir, NO_COLOR: '1' })
    return run(program, args, { env })
  }
}
