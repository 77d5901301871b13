// The pm2 of one cluster. Its daemon, sockets and logs are in the cluster's folder, so that it
// touches no other programs. pm2 reports success too early; only the replicas' answers count.

import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { EXIT, Failure } from './failure.js'
import { PACKAGE_DIR, daemonEnvironment, run } from './programs.js'
import { say } from './texts.js'

/** Longest path of a socket here; Linux allows 107 bytes, macOS 103. */
const SOCKET_PATH_BYTES = 100
const STOP_POLL_MS = 50
/** pm2 may hang, on a full disk for example: so long it has for an answer, and for a stop. */
const LIST_MS = 10_000
const ASK_MS = 60_000
/** Longer than a replica takes to drain. */
const STOP_MS = 15_000
/** How long the system may need to end a process after SIGKILL. */
const KILL_MS = 10_000

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

type Running = Pick<Supervised, 'name' | 'pid'>

export interface Stopped {
  /** pm2 has answered in time. */
  readonly answered: boolean
  /** Processes that did not end by themselves. */
  readonly killed: readonly Running[]
}

function kill(pid: number, signal: NodeJS.Signals): void {
  // It may have ended just now.
  if (pid > 0 && alive(pid)) process.kill(pid, signal)
}

/** Waits until the processes have ended; kills those that take too long, and gives their names. */
async function ended(processes: readonly Running[]): Promise<readonly Running[]> {
  const until = performance.now() + STOP_MS
  let killed: readonly Running[] = []
  for (;;) {
    const left = processes.filter(({ pid }) => pid > 0 && alive(pid))
    if (left.length === 0) return killed
    const lateMs = performance.now() - until
    if (lateMs > KILL_MS) {
      const pids = left.map(({ pid }) => pid).join(', ')
      throw new Failure(EXIT.failed, say('notStopped', { pids }))
    }
    if (lateMs > 0) {
      for (const { pid } of left) kill(pid, 'SIGKILL')
      killed = [...new Set([...killed, ...left])]
    }
    await new Promise((resolve) => setTimeout(resolve, STOP_POLL_MS))
  }
}

/**
 * Whether the process is a replica of this folder: pm2 shows its program alone, and runs it in the
 * folder. A system without /proc does not tell: false.
 */
function isReplica(pid: number, dir: string): boolean {
  try {
    const program = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
    const runs = /[\\/]daemons[\\/](processing|persistence)\.js/.test(program)
    return runs && readlinkSync(`/proc/${pid}/cwd`) === realpathSync(dir)
  } catch {
    return false
  }
}

function listed({ stdout }: { readonly stdout: string }): Supervised[] {
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
    const answer = await this.#pm2(['jlist'], { withinMs: LIST_MS })
    return answer.code === 0 ? listed(answer) : []
  }

  /**
   * Stops the processing replicas, then the others, then pm2's daemon. Where pm2 does not answer, or
   * a replica does not end, the very processes are killed; null: nothing ran.
   */
  async stop(): Promise<Stopped | null> {
    if (!this.running) return null
    const daemon = this.#daemonPid()
    const answer = await this.#pm2(['jlist'], { withinMs: LIST_MS })
    const replicas = answer.late ? this.#fromFiles() : listed(answer)
    const answered = !answer.late && (await this.#askToStop(replicas))
    // It would start the replicas again.
    if (!answered) kill(daemon, 'SIGKILL')
    if (!answered) for (const { pid } of replicas) kill(pid, 'SIGTERM')
    const killed = await ended([...replicas, { name: 'pm2', pid: daemon }])
    if (!this.home.startsWith(this.dir)) rmSync(this.home, { recursive: true, force: true })
    return { answered, killed }
  }

  /** False: pm2 has not answered in time. */
  async #askToStop(replicas: readonly Running[]): Promise<boolean> {
    const processing = replicas.filter(({ name }) => name.startsWith('p')).map(({ name }) => name)
    if (
      processing.length > 0 &&
      (await this.#pm2(['stop', ...processing], { withinMs: ASK_MS })).late
    )
      return false
    return !(await this.#pm2(['kill'], { withinMs: ASK_MS })).late
  }

  /** The replicas that pm2 has noted in files, as far as their processes are those of this folder. */
  #fromFiles(): Running[] {
    const folder = join(this.dir, 'pids')
    const files = existsSync(folder) ? readdirSync(folder) : []
    return files.flatMap((file) => {
      const pid = Number(readFileSync(join(folder, file), 'utf8'))
      const [, name] = /^([ps]\d+)[-\d]*\.pid$/.exec(file) ?? []
      return name && isReplica(pid, this.dir) ? [{ name, pid }] : []
    })
  }

  /** Stops one replica in good order; it stays in pm2's list. */
  async stopOne(name: string): Promise<void> {
    await this.#pm2(['stop', name], { withinMs: ASK_MS })
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
