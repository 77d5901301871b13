// A replica of a test's cluster: a child process that can be started, killed, paused, continued,
// stopped, and asked through its debug port. Unexpected ends of its boots are kept: an end that the
// test did not request is a fault of the replica.

import { spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { askDebugPort } from '../../clients/cli/debug-port.js'
import { daemonProgram } from '../../clients/cli/programs.js'
import { startGuard } from './guard.js'

const TAIL_LINES = 40

export interface Place {
  readonly name: string
  readonly port: number
  readonly debugPort: number
  /** The cluster file. */
  readonly config: string
  readonly log: string
  /** Store of a persistence replica. */
  readonly data: string
}

export interface LogLine {
  /** ISO 8601, with milliseconds. */
  readonly at: string
  readonly level: string
  readonly event: string
  readonly reason?: string
}

/** How daemons are run. */
export interface Launch {
  /** Folder of a built checkout; this one if it is left out. */
  readonly root?: string
  /** Further arguments of Node. */
  readonly nodeArgs?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
}

const guard = startGuard()

export class Replica {
  readonly name: string
  readonly place: Place
  /** Ends that the test did not request: "exit 70", "SIGKILL", … */
  readonly unexpectedEnds: string[] = []
  #launch: Launch
  #child: ChildProcess | null = null
  #asked = false
  #stderr = ''

  constructor(place: Place, launch: Launch = {}) {
    this.name = place.name
    this.place = place
    this.#launch = launch
  }

  /** Runs another build from the next start on. */
  use(launch: Launch): void {
    this.#launch = launch
  }

  get isPersistence(): boolean {
    return this.name.startsWith('s')
  }

  /** null: the replica does not run. */
  get pid(): number | null {
    return this.#child?.pid ?? null
  }

  get runs(): boolean {
    return this.#child !== null
  }

  start(): void {
    if (this.#child) return
    const { root, nodeArgs = [], env } = this.#launch
    const program = daemonProgram(this.isPersistence ? 'persistence' : 'processing', root)
    const args = ['--config', this.place.config, '--slot', this.name.slice(1)]
    const child = spawn(process.execPath, ['--enable-source-maps', ...nodeArgs, program, ...args], {
      stdio: ['ignore', 'ignore', 'pipe'],
      env: { ...process.env, ...env },
    })
    this.#child = child
    this.#asked = false
    guard.started(child.pid!)
    child.stderr!.on('data', (chunk) => (this.#stderr += String(chunk)))
    child.once('exit', (code, signal) => {
      guard.ended(child.pid!)
      if (this.#child === child) this.#child = null
      if (!this.#asked) this.unexpectedEnds.push(signal ?? `exit ${code}`)
    })
  }

  /** kill -9; resolves when the process is gone. */
  kill(): Promise<number | string> {
    return this.#end('SIGKILL')
  }

  /** Sends SIGTERM; resolves to the exit code, or to the signal that ended the process. */
  stop(): Promise<number | string> {
    return this.#end('SIGTERM')
  }

  pause(): void {
    this.#child?.kill('SIGSTOP')
  }

  resume(): void {
    this.#child?.kill('SIGCONT')
  }

  /** Sends SIGHUP, on which the replica reloads its certificates. */
  hangUp(): void {
    this.#child?.kill('SIGHUP')
  }

  async #end(signal: NodeJS.Signals): Promise<number | string> {
    const child = this.#child
    if (!child) throw new Error(`${this.name} does not run`)
    this.#asked = true
    const ended = once(child, 'exit') as Promise<[number | null, string | null]>
    child.kill(signal)
    const [code, by] = await ended
    return code ?? by!
  }

  /** Answer of the debug port to a word; empty if the replica does not answer. */
  ask(word: string): Promise<string> {
    if (!this.#child) return Promise.resolve('')
    return askDebugPort(this.place.debugPort, word).catch(() => '')
  }

  /** A line of a word's answer: `line('view', 'epoch')`. */
  async line(word: string, name: string): Promise<string | undefined> {
    const lines = (await this.ask(word)).split('\n')
    return lines.find((line) => line.startsWith(`${name}: `))?.slice(name.length + 2)
  }

  /** Metrics by name; empty if the replica does not answer. */
  async metrics(): Promise<Record<string, number>> {
    const lines = (await this.ask('mntr')).split('\n').map((line) => line.split('\t'))
    return Object.fromEntries(lines.map(([name, value]) => [name!, Number(value)]))
  }

  log(): LogLine[] {
    return this.#logLines().map((line) => JSON.parse(line) as LogLine)
  }

  /** Last lines of the log and of stderr, for a failed test. */
  tail(): string {
    const lines = this.#logLines().slice(-TAIL_LINES)
    return [`---- ${this.name}`, ...lines, this.#stderr.slice(-4_000)].join('\n')
  }

  /** Lines of the log. The last line of a killed replica may be incomplete, and is left out. */
  #logLines(): string[] {
    try {
      const lines = readFileSync(this.place.log, 'utf8').split('\n')
      return lines.filter((line) => line.startsWith('{') && line.endsWith('}'))
    } catch {
      return []
    }
  }
}
