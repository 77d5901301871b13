// The cluster file, YAML or JSON, the same for every replica. A file with a problem is refused
// whole; the error lists all problems, each with the value found and the value needed.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { BOUNDS, linkLimitsOf, type LinkLimits } from '../net/bounds.js'
import { Checker } from './config-checker.js'
import type { Address } from '../net/dialler.js'
import type { Replica } from '../net/identity.js'
import type { Suite } from '../../protocol/envelope/header.js'
import type { LogLevel } from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import { MAX_SLOTS } from '../../protocol/schema/shared.js'
import { AGE_FORM, SIZE_FORM, parseAge, parseSize } from '../../protocol/quantities.js'
import type { RetentionRule } from '../../protocol/entries/retention.js'
import {
  LIMITS,
  REGISTRATION,
  TIMINGS,
  type Limits,
  type Registration,
  type Timings,
} from '../../protocol/machine/config.js'

export interface ReplicaAddress extends Replica, Address {
  readonly debugPort: number
}

export interface ClusterConfig {
  readonly clusterId: string
  readonly tls: boolean
  /** Suite that texts are sealed with. All replicas need the same, or their votes differ. */
  readonly suite: Suite
  readonly replicas: readonly ReplicaAddress[]
  /** Absolute; holds ca.pem and `certificates/`, `data/` and `logs/`. */
  readonly directory: string
  readonly timings: Timings
  readonly limits: Limits & LinkLimits
  readonly registration: Registration
  /** For every mailbox; 0: that bound is off. The coordinator's file counts. */
  readonly retention: RetentionRule
  /** Host that the debug ports listen on; loopback by default. */
  readonly debugHost: string
  readonly log: {
    readonly level: LogLevel
    readonly maxFileBytes: number
    readonly maxFiles: number
    readonly stdout: boolean
  }
}

/** All problems of a cluster file. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: readonly string[]

  constructor(file: string, problems: readonly string[]) {
    super(`${file}:\n${problems.map((problem) => `  ${problem}`).join('\n')}`)
    this.problems = problems
  }
}

/** The highest floor of a password's length: any longer password must fit in its field. */
const MAX_PASSWORD_LENGTH = 128

const LOOPBACK = /^(127\.\d+\.\d+\.\d+|::1|localhost)$/
const HOST = /^[\w.:-]{1,253}$/

export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host)
}

/**
 * The members that the debug port shows, named one by one so that no secret is shown by accident.
 */
export function shown(config: ClusterConfig) {
  const { clusterId, tls, suite, directory, registration, debugHost, ...numbers } = config
  const { timings, limits, retention, log } = numbers
  const replicas = config.replicas.map(({ role, slot, host, port, debugPort }) => {
    return { role, slot, host, port, debugPort }
  })
  const named = { clusterId, tls, suite, directory, registration, debugHost, replicas }
  return { ...named, timings, limits, retention, log }
}

export function slotsOf(config: ClusterConfig, tier: Tier): number {
  return config.replicas.filter(({ role }) => role === tier).length
}

/** Paths of a replica's files. Invariant: the daemons write nowhere else. */
export function pathsOf({ directory }: Pick<ClusterConfig, 'directory'>, name: string) {
  return {
    data: join(directory, 'data', `${name}.db`),
    logs: join(directory, 'logs'),
    ca: join(directory, 'ca.pem'),
    certificate: join(directory, 'certificates', `${name}.pem`),
    key: join(directory, 'certificates', `${name}.key`),
  }
}

function readTier(check: Checker, value: unknown, role: Tier): ReplicaAddress[] {
  const path = `replicas.${role}`
  const replicas = check.list(value, path, 1, MAX_SLOTS).map((one, i) => {
    const at = `${path}[${i}]`
    const given = check.object(one, at, ['slot', 'host', 'port', 'debugPort'])
    return {
      role,
      slot: check.integer(given['slot'], `${at}.slot`, 1, MAX_SLOTS),
      host: check.text(given['host'], `${at}.host`, HOST, 'a host name or address'),
      port: check.integer(given['port'], `${at}.port`, 1, 65_535),
      debugPort: check.integer(given['debugPort'], `${at}.debugPort`, 1, 65_535),
    }
  })
  const slots = replicas.map(({ slot }) => slot).sort((a, b) => a - b)
  if (slots.some((slot, i) => slot !== i + 1)) {
    check.problem(path, `slots ${slots.join(', ')}`, `1 ... ${slots.length}, each once`)
  }
  if (role === 'persistence' && replicas.length % 2 === 0 && replicas.length > 0) {
    const why = 'an odd number of replicas: one more of an even number survives no more failures'
    check.problem(path, String(replicas.length), why)
  }
  return replicas
}

/** Reads a section of positive numbers; a missing one has its default. */
function readNumbers<T extends object>(
  check: Checker,
  value: unknown,
  path: string,
  defaults: T,
): T {
  const names = Object.keys(defaults)
  const given = value === undefined ? {} : check.object(value, path, names)
  const read = names.map((name) => {
    const fallback = (defaults as Record<string, number>)[name]!
    const own = given[name]
    if (own === undefined) return [name, fallback]
    return [name, check.integer(own, `${path}.${name}`, 1, 2 ** 31)]
  })
  return Object.fromEntries(read) as T
}

/** A missing bound is off. */
function readRetention(check: Checker, value: unknown): RetentionRule {
  const given =
    value === undefined ? {} : check.object(value, 'retention', ['age', 'count', 'bytes'])
  const { age, count, bytes } = given
  return {
    age: readQuantity(check, age, 'retention.age', parseAge, AGE_FORM),
    count: count === undefined ? 0 : check.integer(count, 'retention.count', 1, 2 ** 31),
    bytes: readQuantity(check, bytes, 'retention.bytes', parseSize, SIZE_FORM),
  }
}

function readQuantity(
  check: Checker,
  value: unknown,
  path: string,
  parse: (text: string) => number | null,
  form: string,
): number {
  if (value === undefined) return 0
  const written = typeof value === 'number' ? String(value) : value
  const read = typeof written === 'string' ? parse(written) : null
  if (read === null) check.problem(path, JSON.stringify(value), form)
  return read ?? 0
}

const LEVELS = ['debug', 'info', 'warn', 'error'] as const

function readLog(check: Checker, value: unknown, environment: NodeJS.ProcessEnv) {
  const names = ['level', 'maxFileBytes', 'maxFiles', 'stdout']
  const given = value === undefined ? {} : check.object(value, 'log', names)
  const level = environment['TROCA_LOG_LEVEL'] ?? given['level'] ?? 'info'
  const { maxFileBytes = 10 * 1024 * 1024, maxFiles = 5, stdout = true } = given
  return {
    level: check.oneOf(level, 'log.level', LEVELS),
    maxFileBytes: check.integer(maxFileBytes, 'log.maxFileBytes', 10_000, 2 ** 31),
    maxFiles: check.integer(maxFiles, 'log.maxFiles', 1, 100),
    stdout: check.oneOf(stdout, 'log.stdout', [true, false]),
  }
}

function checkAddresses(check: Checker, replicas: readonly ReplicaAddress[], tls: boolean): void {
  const taken = new Map<string, string>()
  for (const { role, slot, host, port, debugPort } of replicas) {
    const name = `${role} ${slot}`
    if (!tls && host !== '' && !isLoopback(host)) {
      check.problem(`${name}.host`, host, 'a loopback address, as tls is off; or tls: on')
    }
    for (const at of [`${host}:${port}`, `${host}:${debugPort}`]) {
      const other = taken.get(at)
      if (other) check.problem(name, `${at}, which ${other} has too`, 'an address of its own')
      taken.set(at, name)
    }
  }
}

/** Checks a parsed cluster file; throws ConfigError with all problems. */
export function checkConfig(
  value: unknown,
  file: string,
  environment: NodeJS.ProcessEnv = {},
): ClusterConfig {
  const check = new Checker()
  const names = [
    ...['clusterId', 'tls', 'suite', 'replicas', 'directory', 'debugHost'],
    ...['registration', 'retention', 'timings', 'limits', 'log'],
  ]
  const given = check.object(value, '', names)
  const tiers = check.object(given['replicas'], 'replicas', ['processing', 'persistence'])
  const replicas = [
    ...readTier(check, tiers['processing'], 'processing'),
    ...readTier(check, tiers['persistence'], 'persistence'),
  ]
  const timings = readNumbers(check, given['timings'], 'timings', TIMINGS)
  const { heartbeat, suspect, patience, coordinatorPatience } = timings
  if (suspect < 3 * heartbeat) {
    check.problem('timings.suspect', `${suspect}`, `three heartbeats at least, ${3 * heartbeat}`)
  }
  if (coordinatorPatience <= patience) {
    const wanted = `more than timings.patience, ${patience}: a view change must fit in`
    check.problem('timings.coordinatorPatience', `${coordinatorPatience}`, wanted)
  }
  const tls = check.oneOf(given['tls'] ?? true, 'tls', [true, false, 'on', 'off'] as const)
  const defaults = { ...LIMITS, ...linkLimitsOf(BOUNDS) }
  const limits = readNumbers(check, given['limits'], 'limits', defaults)
  if (limits.keyBits < 2_048 || limits.keyBits > 8_192) {
    check.problem('limits.keyBits', `${limits.keyBits}`, '2048 ... 8192')
  }
  if (limits.minPasswordLength > MAX_PASSWORD_LENGTH) {
    const needed = `1 ... ${MAX_PASSWORD_LENGTH}`
    check.problem('limits.minPasswordLength', `${limits.minPasswordLength}`, needed)
  }
  const wanted = 'up to 64 of a-z 0-9 and -'
  const place = check.text(given['directory'] ?? '.', 'directory', /./, 'a path')
  const config: ClusterConfig = {
    clusterId: check.text(given['clusterId'], 'clusterId', /^[a-z0-9-]{1,64}$/, wanted),
    tls: tls === true || tls === 'on',
    suite: check.oneOf(given['suite'] ?? 'jwe', 'suite', ['jwe', 'rsa'] as const),
    replicas,
    directory: resolve(dirname(file), place),
    debugHost: check.text(given['debugHost'] ?? '127.0.0.1', 'debugHost', HOST, 'a host'),
    timings,
    limits,
    registration: check.oneOf(given['registration'] ?? 'open', 'registration', REGISTRATION),
    retention: readRetention(check, given['retention']),
    log: readLog(check, given['log'], environment),
  }
  checkAddresses(check, replicas, config.tls)
  if (check.problems.length > 0) throw new ConfigError(file, check.problems)
  return config
}

/** Reads a cluster file. The YAML parser reads JSON too. */
export function readConfig(file: string, environment = process.env): ClusterConfig {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const wanted = 'a cluster file that can be read; troca init makes one'
    throw new ConfigError(file, [`cannot be read (${code ?? 'error'}); needed: ${wanted}`])
  }
  let value: unknown
  try {
    value = parse(text)
  } catch (error) {
    throw new ConfigError(file, [`is not YAML: ${(error as Error).message.split('\n')[0]}`])
  }
  return checkConfig(value, file, environment)
}
