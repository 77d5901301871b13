// A replica as a process. The process reads the cluster file, assembles machine, store, workers, links,
// log and debug port, and stops in order on a signal. A daemon writes only inside the cluster's
// directory.

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { parseArgs } from 'node:util'
import {
  isLoopback,
  pathsOf,
  readConfig,
  shown,
  slotsOf,
  type ClusterConfig,
  type ReplicaAddress,
} from './provision/config.js'
import { CredentialWatch } from './net/credential-watch.js'
import { DebugPort } from './observe/debug-port.js'
import { DiskWatch, diskRoom } from './observe/disk.js'
import { debugWords } from './observe/debug-words.js'
import { Driver, EXIT, type Surroundings } from './runtime/driver.js'
import { traceOf } from './runtime/trace.js'
import type { Self } from './net/handshake.js'
import { nameOf, uriOf } from './net/identity.js'
import { BOUNDS, linkLimitsOf } from './net/bounds.js'
import { Links, type LinksEvents } from './net/links.js'
import type { StoreFigures } from './observe/metrics.js'
import { Figures } from './observe/registry.js'
import { openLog, type Log } from './log/log.js'
import type { WorkerPool } from './workers/pool.js'
import type { LinkId, Machine } from '../protocol/machine/machine.js'
import type { Tier } from '../protocol/slots.js'

/** Longest time from the stop signal to the exit, even if the machine has not finished draining. */
const DRAIN_MS = 8_000
/** Time for the last bytes to reach peers that still read. */
const FAREWELL_MS = 300

export interface Context {
  readonly config: ClusterConfig
  readonly self: Self
  readonly paths: ReturnType<typeof pathsOf>
  readonly log: Log
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
  return { config, own }
}

class Daemon {
  readonly #context: Context
  readonly #parts: Parts
  readonly #driver: Driver
  readonly #links: Links
  readonly #own: ReplicaAddress
  readonly #credentials: CredentialWatch | null
  readonly #figures: Figures
  readonly #disk: DiskWatch
  #debugPort: DebugPort | null = null
  #leaving = false

  constructor(context: Context, own: ReplicaAddress, parts: Parts) {
    const { config, self, paths, log } = context
    this.#context = context
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
    const bounds = {
      ...BOUNDS,
      ...linkLimitsOf({ ...BOUNDS, ...config.limits }),
      credit: config.limits.credit,
    }
    const { host, port } = own
    const options = { self, credentials, bounds, coordinator, userOf, replicas: config.replicas }
    this.#links = new Links({ ...options, address: { host, port } }, events)
    const disk = () => diskRoom(dirname(paths.data))
    this.#disk = new DiskWatch(disk, ({ free, size }) =>
      log('warn', 'disk-low', { folder: dirname(paths.data), freeBytes: free, sizeBytes: size }),
    )
    this.#figures = new Figures(self.role, {
      ...{ machine, links: this.#links, driver: this.#driver, notReady: parts.notReady, disk },
      credentials: this.#credentials,
      ...(store && { store }),
      ...(workers && { computations: () => workers.metrics() }),
    })
  }

  async start(): Promise<void> {
    const { config, log } = this.#context
    await this.#links.start()
    this.#debugPort = await this.#openDebugPort()
    if (!config.tls)
      log('warn', 'tls-off', { reason: 'plain TCP is for lessons, on loopback only' })
    process.on('SIGINT', () => this.drain())
    process.on('SIGTERM', () => this.drain())
    process.on('SIGHUP', () => this.#credentials?.reload())
    this.#driver.start()
    this.#links.dial()
    this.#disk.start()
    this.#parts.store?.watch((error) => this.#driver.failed(error))
    log('info', 'started', { port: this.#own.port, pid: process.pid })
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
      `state: ${notReady() ?? 'ready'}`,
      `uptime: ${Math.round(process.uptime())} s`,
      `clients: ${links.count('client')}`,
    ]
    const conf = () => JSON.stringify({ replica: nameOf(self), ...shown(config) }, null, 2)
    const figures = this.#figures
    const unreached = () => links.unreached()
    const words = debugWords({ machine, figures, summary, unreached, conf })
    const answers = { words, figures, notReady }
    const host = config.debugHost
    if (!isLoopback(host)) {
      const reason = `the debug port has no password, and ${host} is not loopback: restrict access`
      this.#context.log('warn', 'debug-port-open', { host, reason })
    }
    return DebugPort.open({ host, port: this.#own.debugPort }, answers)
  }
}

async function start(role: Tier, make: (context: Context) => Promise<Parts>): Promise<void> {
  const { config, own } = readArguments(role)
  const name = nameOf(own)
  const paths = pathsOf(config, name)
  mkdirSync(paths.logs, { recursive: true })
  const log = openLog({ name, directory: paths.logs, ...config.log })
  const self: Self = {
    role,
    slot: own.slot,
    clusterId: config.clusterId,
    boot: randomBytes(8).toString('hex'),
    tls: config.tls,
    processing: slotsOf(config, 'processing'),
    persistence: slotsOf(config, 'persistence'),
  }
  const context = { config, self, paths, log }
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
