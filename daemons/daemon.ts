// A replica as a process. The process reads the cluster file, assembles machine, store, workers, links,
// log and debug port, and stops in order on a signal. A daemon writes only inside the cluster's
// directory.

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import type { ReplicaAddress } from './provision/addresses.js'
import {
  logLevelOf,
  pathsOf,
  readConfig,
  shown,
  slotsOf,
  type ClusterConfig,
} from './provision/config.js'
import { ConfigWatch } from './provision/config-watch.js'
import { changesOf } from './provision/reload.js'
import { CredentialWatch } from './net/credential-watch.js'
import { DebugPort } from './observe/debug-port.js'
import { DiskWatch, diskRoom } from './observe/disk.js'
import { debugWords } from './observe/debug-words.js'
import { VERSIONS } from './observe/version.js'
import { Driver, EXIT, type Surroundings } from './runtime/driver.js'
import { traceOf } from './runtime/trace.js'
import type { Self } from './net/handshake.js'
import { nameOf, uriOf } from './net/identity.js'
import { BOUNDS, linkLimitsOf, type LinkBounds } from './net/bounds.js'
import { Links, type LinksEvents } from './net/links.js'
import type { StoreFigures } from './observe/metrics.js'
import { Figures } from './observe/registry.js'
import { openLog, type ReplicaLog } from './log/log.js'
import type { WorkerPool } from './workers/pool.js'
import { isLoopback } from '../protocol/host.js'
import type { LinkId, LogLevel, Machine } from '../protocol/machine/machine.js'
import type { Tier } from '../protocol/slots.js'

/** Longest time from the stop signal to the exit, even if the machine has not finished draining. */
const DRAIN_MS = 8_000
/** Time for the last bytes to reach peers that still read. */
const FAREWELL_MS = 300

export interface Context {
  /** The cluster file. */
  readonly file: string
  readonly config: ClusterConfig
  readonly self: Self
  readonly paths: ReturnType<typeof pathsOf>
  readonly log: ReplicaLog
}

/** The parts in which the two tiers differ. */
export interface Parts {
  readonly machine: Machine
  readonly store?: Surroundings['store'] &
    StoreFigures & { close(): Promise<void>; watch(failed: (error: Error) => void): void }
  readonly snapshot?: NonNullable<Surroundings['snapshot']> & { close(): Promise<void> }
  readonly workers?: Surroundings['workers'] & Pick<WorkerPool, 'metrics' | 'close'>
  /** Slot of the coordinator, for WELCOME; 0: none known. */
  readonly coordinator: () => number
  /** User logged in on a client's link; null: no user. */
  readonly userOf: (link: LinkId) => string | null
  /** Reason why this replica does not serve; null: it serves. */
  readonly notReady: () => string | null
}

interface Arguments {
  /** Path of the cluster file. */
  readonly file: string
  readonly config: ClusterConfig
  readonly own: ReplicaAddress
}

function readArguments(role: Tier): Arguments {
  const options = { config: { type: 'string' }, slot: { type: 'string' } } as const
  const { values } = parseArgs({ options })
  if (!values.config || !values.slot) {
    throw new Error(`usage: node dist/daemons/${role}.js --config FILE --slot N`)
  }
  const config = readConfig(values.config)
  const own = config.replicas.find((one) => one.role === role && String(one.slot) === values.slot)
  if (!own) {
    const has = `1 ... ${slotsOf(config, role)}`
    throw new Error(`--slot ${values.slot}: ${values.config} has ${role} replicas ${has}`)
  }
  return { file: values.config, config, own }
}

class Daemon {
  readonly #context: Context
  readonly #parts: Parts
  readonly #driver: Driver
  readonly #links: Links
  readonly #own: ReplicaAddress
  readonly #bounds: LinkBounds
  readonly #credentials: CredentialWatch | null
  readonly #figures: Figures
  readonly #disk: DiskWatch
  #debugPort: DebugPort | null = null
  #configuration: ConfigWatch | null = null
  #leaving = false
  #level: LogLevel

  constructor(context: Context, own: ReplicaAddress, parts: Parts) {
    const { config, self, paths, log } = context
    this.#context = context
    this.#level = logLevelOf(config, nameOf(self))
    this.#own = own
    this.#parts = parts
    const { machine, store, snapshot, workers, coordinator, userOf } = parts
    this.#driver = new Driver(machine, {
      send: (link, frame) => this.#links.send(link, frame),
      close: (link, reason) => this.#links.close(link, reason),
      hold: (link, held) => this.#links.hold(link, held),
      admit: (link) => this.#links.admit(link),
      ...(store && { store }),
      ...(snapshot && { snapshot }),
      ...(workers && { workers }),
      wrote: (seconds) => this.#figures.wrote(seconds),
      trace: traceOf(nameOf(self)),
      log,
      stopped: () => void this.#leave(),
      halt: (exitCode) => void this.exit(exitCode),
    })
    const events: LinksEvents = {
      up: (link, peer) => this.#driver.feed({ type: 'link-up', link, peer }),
      message: (link, message) => this.#driver.feed({ type: 'message', link, message }),
      down: (link, reason) => this.#driver.feed({ type: 'link-down', link, reason }),
      log,
    }
    this.#credentials = config.tls
      ? new CredentialWatch({
          files: { ca: paths.ca, certificate: paths.certificate, key: paths.key },
          uri: uriOf(self.clusterId, self),
          log,
          renewed: (credentials) => this.#links.renew(credentials),
        })
      : null
    const credentials = this.#credentials?.current ?? null
    this.#bounds = {
      ...BOUNDS,
      ...linkLimitsOf({ ...BOUNDS, ...config.limits }),
      credit: config.limits.credit,
    }
    const { listen: host, port } = own
    const bounds = this.#bounds
    const options = { self, credentials, bounds, coordinator, userOf, replicas: config.replicas }
    this.#links = new Links({ ...options, address: { host, port } }, events)
    const disk = () => diskRoom(dirname(paths.data))
    this.#disk = new DiskWatch(disk, ({ free, size }) =>
      log('warn', 'disk-low', { folder: dirname(paths.data), freeBytes: free, sizeBytes: size }),
    )
    this.#figures = new Figures(self.role, {
      ...{ machine, links: this.#links, driver: this.#driver, notReady: parts.notReady, disk },
      credentials: this.#credentials,
      paths: { directory: config.directory, data: paths.data },
      ...(store && { store }),
      ...(workers && { computations: () => workers.metrics() }),
    })
  }

  async start(): Promise<void> {
    const { file, config, log } = this.#context
    await this.#links.start()
    this.#configuration = new ConfigWatch(file, log, (changed) => this.#follow(changed))
    this.#debugPort = await this.#openDebugPort()
    if (!config.tls)
      log('warn', 'tls-off', { reason: 'plain TCP is for lessons, on loopback only' })
    process.on('SIGINT', () => this.drain())
    process.on('SIGTERM', () => this.drain())
    process.on('SIGUSR2', () => this.#driver.feed({ type: 'resign' }))
    process.on('SIGHUP', () => this.#reload())
    this.#driver.start()
    this.#links.dial()
    this.#disk.start()
    this.#parts.store?.watch((error) => this.#driver.failed(error))
    log('info', 'started', { version: VERSIONS.version, port: this.#own.port, pid: process.pid })
  }

  /**
   * SIGHUP: reads certificates and cluster file again, and takes over what can change while the
   * replica runs: its parts look limits up in these objects each time.
   */
  #reload(): void {
    this.#credentials?.reload()
    const { file, config, log } = this.#context
    const edited = this.#configuration?.look()
    if (!edited) return
    const { limits, level, taken, restart } = changesOf(config, edited)
    Object.assign(config.limits, limits)
    Object.assign(this.#bounds, linkLimitsOf({ ...this.#bounds, ...config.limits }))
    if (level) Object.assign(config.log, { level })
    log('info', 'config-reloaded', { file, reason: taken.join(' ') || 'nothing has changed' })
    if (restart.length === 0) return
    const reason = `needs a restart, and is as before until then: ${restart.join(' ')}`
    log('warn', 'config-needs-restart', { file, reason })
  }

  /** The change itself is logged at both levels. */
  #logAt(level: LogLevel): void {
    const { log } = this.#context
    if (level === this.#level) return
    this.#level = level
    log.setLevel('info')
    log('info', 'log-level', { to: level })
    log.setLevel(level)
  }

  /** A changed cluster file of this cluster and history: replicas and levels of logs are taken up. */
  #follow(edited: ClusterConfig): readonly string[] {
    const { config, self } = this.#context
    if (edited.clusterId !== self.clusterId || edited.historyId !== self.historyId) return []
    this.#logAt(logLevelOf(edited, nameOf(self)))
    Object.assign(config.log, { levels: edited.log.levels })
    const isOwn = ({ role, slot }: ReplicaAddress): boolean =>
      role === self.role && slot === self.slot
    const replicas = edited.replicas.map((one) => (isOwn(one) ? this.#own : one))
    if (replicas.length === config.replicas.length) Object.assign(config, { replicas })
    return this.#links.update(edited.replicas)
  }

  /** Starts an orderly stop. A second call exits at once. */
  drain(): void {
    if (this.#leaving) return void this.exit(0)
    this.#leaving = true
    this.#context.log('info', 'stop-requested')
    setTimeout(() => void this.#leave(), DRAIN_MS).unref()
    this.#driver.feed({ type: 'drain' })
  }

  async exit(code: number): Promise<void> {
    this.#driver.stop()
    // winston's streams hand the last lines on asynchronously.
    await new Promise(setImmediate)
    process.exit(code)
  }

  async #leave(): Promise<void> {
    this.#driver.stop()
    this.#links.stop('this replica is being stopped')
    this.#debugPort?.close()
    this.#credentials?.stop()
    this.#configuration?.stop()
    this.#disk.stop()
    await new Promise((resolve) => setTimeout(resolve, FAREWELL_MS))
    try {
      await this.#parts.store?.close()
      await this.#parts.snapshot?.close()
      await this.#parts.workers?.close()
      this.#context.log('info', 'stopped')
      await this.exit(0)
    } catch (error) {
      this.#context.log('error', 'stop-failed', { reason: (error as Error).message })
      await this.exit(EXIT.io)
    }
  }

  #openDebugPort(): Promise<DebugPort> {
    const { config, self } = this.#context
    const { machine, notReady } = this.#parts
    const links = this.#links
    const summary = (): string[] => [
      `replica: ${nameOf(self)}`,
      `cluster: ${self.clusterId}`,
      `history: ${self.historyId}`,
      `state: ${notReady() ?? 'ready'}`,
      `uptime: ${Math.round(process.uptime())} s`,
      `clients: ${links.count('client')}`,
    ]
    const conf = () => JSON.stringify({ replica: nameOf(self), ...shown(config) }, null, 2)
    const figures = this.#figures
    const unreached = () => links.unreached()
    const words = debugWords({ machine, figures, summary, unreached, conf })
    const answers = { words, figures, notReady }
    const { debugHost: host, debugPort: port } = this.#own
    if (!isLoopback(host)) {
      const reason = `the debug port has no password, and ${host} is not loopback: restrict access`
      this.#context.log('warn', 'debug-port-open', { host, reason })
    }
    return DebugPort.open({ host, port }, answers)
  }
}

async function start(role: Tier, make: (context: Context) => Promise<Parts>): Promise<void> {
  const { file, config, own } = readArguments(role)
  const name = nameOf(own)
  const paths = pathsOf(config, name)
  mkdirSync(paths.logs, { recursive: true })
  const level = logLevelOf(config, name)
  const log = openLog({ name, directory: paths.logs, ...config.log, level })
  const self: Self = {
    role,
    slot: own.slot,
    generation: own.generation,
    clusterId: config.clusterId,
    historyId: config.historyId,
    boot: randomBytes(8).toString('hex'),
    tls: config.tls,
    processing: slotsOf(config, 'processing'),
    persistence: slotsOf(config, 'persistence'),
  }
  const context = { file, config, self, paths, log }
  const daemon = new Daemon(context, own, await make(context))
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(event, (error: unknown) => {
      const { message, stack = '' } = error instanceof Error ? error : new Error(String(error))
      log('error', 'halted', { reason: message, stack })
      void daemon.exit(EXIT.software)
    })
  }
  await daemon.start()
}

/** Runs a daemon until it exits. A failed start prints one sentence on stderr and exits with 1. */
export function runDaemon(role: Tier, make: (context: Context) => Promise<Parts>): void {
  start(role, make).catch((error: unknown) => {
    process.stderr.write(`troca ${role}: ${(error as Error).message}\n`)
    process.exit(1)
  })
}
