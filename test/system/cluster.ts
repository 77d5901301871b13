// A real cluster for a test: real daemons, TLS, files, in the test's own directory on free ports.
// Invariant: no process or file outlives the test. Waits poll the debug ports until a condition
// holds.

import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { parse, stringify } from 'yaml'
import { KeyFolder, connect } from '../../clients/index.js'
import type { Client } from '../../clients/index.js'
import { Context } from '../../clients/cli/context.js'
import { freeBasePort } from '../../clients/cli/free-ports.js'
import { daemonProgram, run } from '../../clients/cli/programs.js'
import type { Ended } from '../../clients/cli/programs.js'
import { pathsOf, readConfig } from '../../daemons/provision/config.js'
import { nameOf } from '../../daemons/net/identity.js'
import { Replica } from './replica.js'
import type { Launch } from './replica.js'

/** Only ends an endless wait, so it is long. */
const PATIENCE_MS = 30_000
const POLL_MS = 25
export const PASSWORD = 'correct horse'
const CLI = fileURLToPath(new URL('../../clients/cli/main.js', import.meta.url))

export interface FileVerdict {
  readonly replica: string
  readonly last: number
  readonly committed: number
  readonly chain: string
  readonly fault: string | null
}

export interface Shape {
  readonly processing: number
  readonly persistence: number
  /** Settings of the cluster file in addition to those that init writes. */
  readonly settings?: Record<string, unknown>
}

/** The part of a test that a cluster needs. */
export type Owner = Pick<Test, 'testdir' | 'teardown' | 'passing'>

export class Cluster {
  readonly directory: string
  readonly replicas: readonly Replica[]
  /** History of its log when it was started. */
  readonly historyId: string
  readonly #clients: Client[] = []

  private constructor(directory: string, launch: Launch) {
    this.directory = directory
    const file = join(directory, 'cluster.yaml')
    const config = readConfig(file)
    this.historyId = config.historyId
    this.replicas = config.replicas.map((one) => {
      const name = nameOf(one)
      const { data, logs } = pathsOf(config, name)
      const { port, debugPort } = one
      const log = join(logs, `${name}.log`)
      return new Replica({ name, port, debugPort, config: file, data, log }, launch)
    })
  }

  /**
   * Makes and starts a cluster, and waits until every replica is ready. The test's end removes it.
   */
  static async start(
    t: Owner,
    { processing, persistence, settings = {} }: Shape = { processing: 3, persistence: 3 },
    launch: Launch = {},
  ): Promise<Cluster> {
    const directory = join(t.testdir(), 'troca')
    const shape = ['--processing', `${processing}`, '--persistence', `${persistence}`]
    const ports = ['--base-port', String(await freeBasePort())]
    const args = ['--dir', directory, '--key-bits', '2048', ...shape, ...ports]
    const made = await run(daemonProgram('init', launch.root), args)
    if (made.code !== 0) throw new Error(`init: ${made.stderr}`)
    const file = join(directory, 'cluster.yaml')
    const written = parse(readFileSync(file, 'utf8')) as object
    writeFileSync(file, stringify({ ...written, ...settings }))
    return Cluster.at(t, directory, launch)
  }

  /** Starts a cluster that was made before. */
  static async at(t: Owner, directory: string, launch: Launch = {}): Promise<Cluster> {
    const cluster = new Cluster(directory, launch)
    t.teardown(() => cluster.#end(t.passing()))
    for (const replica of cluster.replicas) replica.start()
    await cluster.untilSettled()
    return cluster
  }

  async #end(passing: boolean): Promise<void> {
    if (!passing) for (const replica of this.replicas) console.error(replica.tail())
    for (const client of this.#clients) client.abandon('the test is over')
    await Promise.all(this.replicas.filter(({ runs }) => runs).map((replica) => replica.kill()))
  }

  get processing(): readonly Replica[] {
    return this.replicas.filter(({ isPersistence }) => !isPersistence)
  }

  get persistence(): readonly Replica[] {
    return this.replicas.filter(({ isPersistence }) => isPersistence)
  }

  replica(name: string): Replica {
    const found = this.replicas.find((one) => one.name === name)
    if (!found) throw new Error(`no replica ${name}`)
    return found
  }

  // ---- waiting --------------------------------------------------------------------------------

  /**
   * Polls until the answer is not null. `what` names the condition in the error after a timeout.
   */
  async until<T>(what: string, ask: () => Promise<T | null>): Promise<T> {
    const end = performance.now() + PATIENCE_MS
    while (performance.now() < end) {
      const answer = await ask()
      if (answer !== null) return answer
      await new Promise((resolve) => setTimeout(resolve, POLL_MS))
    }
    const states = await Promise.all(this.replicas.map(stateOf))
    throw new Error(`waited ${PATIENCE_MS / 1_000} s in vain until ${what}\n${states.join('\n')}`)
  }

  /** The processing replica that coordinates. */
  coordinator(): Promise<Replica> {
    return this.until('a replica coordinates', () => {
      return firstWith(this.processing, 'troca_is_coordinator')
    })
  }

  /** The persistence replica that holds the turn. */
  holder(): Promise<Replica> {
    return this.until('a replica holds the turn', () => {
      return firstWith(this.persistence, 'troca_turn_holding')
    })
  }

  /**
   * Waits until the replica serves and has all entries committed anywhere at the time of the call.
   */
  async untilCaughtUp(replica: Replica): Promise<void> {
    const committed = Math.max(...(await Promise.all(this.replicas.map(committedOf))))
    await this.until(`${replica.name} serves and has entry ${committed}`, async () => {
      const { troca_ready } = await replica.metrics()
      return troca_ready === 1 && (await committedOf(replica)) >= committed ? true : null
    })
  }

  /** Waits until all running replicas serve and have committed and applied the same entries. */
  async untilSettled(): Promise<void> {
    const replicas = this.replicas.filter(({ runs }) => runs)
    await this.until('all replicas serve with equal logs', async () => {
      const metrics = await Promise.all(replicas.map((replica) => replica.metrics()))
      const ready = metrics.every(({ troca_ready }) => troca_ready === 1)
      const ends = await Promise.all(replicas.map(endOf))
      return ready && new Set(ends.flat()).size === 1 ? true : null
    })
  }

  // ---- users ----------------------------------------------------------------------------------

  /** Registers an account and stays logged in. */
  async register(name: string): Promise<Client> {
    const client = await connect({ ...this.#servers(), timeoutMs: PATIENCE_MS })
    this.#clients.push(client)
    await client.register(name, PASSWORD)
    return client
  }

  /** As `register`, for a client-held account; its key file is in the cluster's folder. */
  async registerHeld(name: string, bits: number): Promise<Client> {
    const client = await this.#connectHeld()
    await client.register(name, PASSWORD, { endToEnd: true, bits })
    return client
  }

  async logInHeld(name: string, password = PASSWORD): Promise<Client> {
    const client = await this.#connectHeld()
    await client.login(name, password)
    return client
  }

  async #connectHeld(): Promise<Client> {
    const keyStore = new KeyFolder(this.directory)
    const client = await connect({ ...this.#servers(), keyStore, timeoutMs: PATIENCE_MS })
    this.#clients.push(client)
    return client
  }

  /** Logs in; `only` restricts the client to this processing replica. */
  async logIn(user: string, only?: Replica, password = PASSWORD): Promise<Client> {
    const { servers, ...trust } = this.#servers()
    const chosen = only ? [{ host: '127.0.0.1', port: only.place.port }] : servers
    const options = { ...trust, servers: chosen, timeoutMs: PATIENCE_MS }
    const client = await connect({ ...options, user, password })
    this.#clients.push(client)
    return client
  }

  #servers() {
    return new Context({ dir: this.directory }).servers()
  }

  /** Runs the command line as `user`. */
  troca(user: string, args: readonly string[]): Promise<Ended> {
    const env = { TROCA_DIR: this.directory, TROCA_USER: user, TROCA_PASSWORD: PASSWORD }
    const { PATH } = process.env
    return run(CLI, args, { env: { PATH, LANG: 'C', NO_COLOR: '1', ...env } })
  }

  async audit(): Promise<{ agree: boolean; files: FileVerdict[] }> {
    const { stdout, stderr } = await run(daemonProgram('audit'), [
      ...['--dir', this.directory, '--json'],
    ])
    if (stdout === '') throw new Error(`audit: ${stderr}`)
    return JSON.parse(stdout) as { agree: boolean; files: FileVerdict[] }
  }
}

async function firstWith(replicas: readonly Replica[], gauge: string): Promise<Replica | null> {
  for (const replica of replicas) if ((await replica.metrics())[gauge] === 1) return replica
  return null
}

async function committedOf(replica: Replica): Promise<number> {
  const metrics = await replica.metrics()
  return metrics['troca_log_commit_index'] ?? metrics['troca_applied_index'] ?? 0
}

/** Last, committed and applied indices: one number everywhere once no command is under way. */
async function endOf(replica: Replica): Promise<number[]> {
  const metrics = await replica.metrics()
  if (!replica.isPersistence) return [metrics['troca_applied_index'] ?? -1]
  return [metrics['troca_log_last_index'] ?? -1, metrics['troca_log_commit_index'] ?? -1]
}

/** A replica's state, for the error after a timeout. */
async function stateOf(replica: Replica): Promise<string> {
  if (!replica.runs) return `---- ${replica.name}: does not run`
  const words = replica.isPersistence ? ['view', 'turn', 'log', 'peer'] : ['ring', 'log', 'peer']
  const answers = await Promise.all(words.map((word) => replica.ask(word)))
  return [`---- ${replica.name}`, ...answers].join('\n')
}
