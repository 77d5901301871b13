// The pm2 of one cluster. Its daemon, sockets and logs are in the cluster's folder, so that it
// touches no other programs. pm2 reports success too early; only the replicas' answers count.

import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, Failure } from './failure.js'
import { PACKAGE_DIR, daemonEnvironment, run } from './programs.js'
import { say } from './texts.js'

/** Longest path of a socket here; Linux allows 107 bytes, macOS 103. */
const SOCKET_PATH_BYTES = 100
const STOP_POLL_MS = 50
/** Longest time of a question to pm2, and of its part in a stop: on a full disk it may hang. */
const PM2_MS = 15_000
/** Longer than draining takes. */
const DRAIN_MS = 10_000
/** How long the system may need to end a process after SIGKILL. */
const KILL_MS = 5_000

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

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal)
  } catch {
    // The process has ended meanwhile.
  }
}

/** Whether all these processes have ended, within a time. */
async function allEnded(pids: readonly number[], withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs
  while (pids.some(alive)) {
    if (performance.now() > until) return false
    await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS))
  }
  return true
}

/** Whether the process is this replica's; a file may have kept the pid of an earlier boot. */
function isReplica(pid: number, name: string): boolean {
  const tier = name.startsWith('p') ? 'processing.js' : 'persistence.js'
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes(tier)
  } catch {
    return false
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

  /** Starts the replicas with these names. */
  async start(names: readonly string[]): Promise<void> {
    mkdirSync(this.home, { recursive: true, mode: 0o700 })
    const env = { TROCA_REPLICAS: names.join(' ') }
    const { stderr } = await this.#pm2(['start', join(PACKAGE_DIR, 'ecosystem.config.js')], { env })
    this.#startErrors = stderr.trim()
  }

  /** Empty also where pm2 does not answer in time. */
  async list(): Promise<Supervised[]> {
    if (!this.running) return []
    const { code, stdout } = await this.#pm2(['jlist'], { withinMs: PM2_MS })
    if (code !== 0) return []
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

  /**
   * Stops the processing replicas, then the others, then pm2's daemon; true if anything ran. A pm2
   * that does not answer in time is left out: the processes get the signals from here.
   */
  async stop(): Promise<boolean> {
    if (!this.running) return false
    const replicas = await this.list()
    const daemon = this.#daemonPid()
    const pids = new Map(replicas.map(({ name, pid }) => [name, pid]))
    for (const [name, pid] of this.#writtenPids()) if (!pids.get(name)) pids.set(name, pid)
    const all = [...pids.values()].filter((pid) => pid > 0)
    const processing = [...pids.keys()].filter((name) => name.startsWith('p'))
    // A pm2 that has listed nothing does not answer, or has nothing to stop.
    if (replicas.length > 0) {
      if (processing.length > 0) await this.#pm2(['stop', ...processing], { withinMs: PM2_MS })
      await this.#pm2(['kill'], { withinMs: PM2_MS })
    }
    if (alive(daemon)) {
      // First, because a running pm2 would start the replicas again.
      send(daemon, 'SIGKILL')
      for (const pid of all) send(pid, 'SIGTERM')
    }
    if (!(await allEnded(all, DRAIN_MS))) for (const pid of all) send(pid, 'SIGKILL')
    const rest = [...all, daemon]
    if (!(await allEnded(rest, KILL_MS))) {
      const left = rest.filter(alive).join(', ')
      throw new Failure(EXIT.failed, say('notStopped', { pids: left }))
    }
    if (!this.home.startsWith(this.dir)) rmSync(this.home, { recursive: true, force: true })
    return true
  }

  /** Pids of the replicas by the files that pm2 keeps of them, where its answer lacks them. */
  #writtenPids(): Map<string, number> {
    const folder = join(this.dir, 'pids')
    const files = existsSync(folder) ? readdirSync(folder) : []
    return new Map(
      files.flatMap((file) => {
        // pm2 adds its own number: p1-0.pid.
        const name = /^([ps]\d)(-\d+)?\.pid$/.exec(file)?.[1]
        const pid = Number(readFileSync(join(folder, file), 'utf8'))
        return name && pid > 0 && isReplica(pid, name) ? [[name, pid] as const] : []
      }),
    )
  }

  /** Stops one replica in good order; it stays in pm2's list. */
  async stopOne(name: string): Promise<void> {
    await this.#pm2(['stop', name], { withinMs: PM2_MS })
  }

  /** Stops one replica in good order, if it runs, and starts it. */
  async restartOne(name: string): Promise<void> {
    await this.#pm2(['restart', name])
    // Only restarts that nobody asked for are a sign of trouble.
    await this.#pm2(['reset', name])
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

  #pm2(
    args: readonly string[],
    options: { env?: Record<string, string>; withinMs?: number } = {},
  ): ReturnType<typeof run> {
    const require = createRequire(import.meta.url)
    const program = join(require.resolve('pm2/package.json'), '..', 'bin', 'pm2')
    const own = { PM2_HOME: this.home, TROCA_DIR: this.dir, NO_COLOR: '1' }
    return run(program, args, { ...options, env: daemonEnvironment({ ...own, ...options.env }) })
  }
}
