// The cluster file, YAML or JSON, the same for every replica. A file with a problem is refused
// whole; the error lists all problems, each with the value found and the value needed.

import { readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parse } from 'yaml'
import { checkAddresses, readHost, readTier, type ReplicaAddress } from './addresses.js'
import { BOUNDS, linkLimitsOf, type LinkLimits } from '../net/bounds.js'
import { Checker } from './config-checker.js'
import type { Suite } from '../../protocol/envelope/header.js'
import type { LogLevel } from '../../protocol/machine/machine.js'
import type { Tier } from '../../protocol/slots.js'
import { FIRST_HISTORY, type Origin } from '../../protocol/entries/origin.js'
import type { RetentionRule } from '../../protocol/entries/retention.js'
import { AGE_FORM, SIZE_FORM, parseAge, parseSize } from '../../protocol/quantities.js'
import {
  LIMITS,
  REGISTRATION,
  TIMINGS,
  type Limits,
  type Registration,
  type Timings,
} from '../../protocol/machine/config.js'

export interface ClusterConfig extends Origin {
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
  /** Host that the debug ports listen on, unless a replica has its own; loopback by default. */
  readonly debugHost: string
  readonly log: {
    readonly level: LogLevel
    /** Levels of single replicas, by name, which go before `level`. */
    readonly levels: Readonly<Record<string, LogLevel>>
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

const HISTORY = new RegExp(`^([0-9a-f]{32}|${FIRST_HISTORY})$`)
const MIN_STREAM_IDLE_MS = 10_000

/**
 * The members that the debug port shows, named one by one so that no secret is shown by accident.
 */
export function shown(config: ClusterConfig) {
  const { clusterId, historyId, tls, suite, directory, registration, ...others } = config
  const { debugHost, timings, limits, retention, log } = others
  const replicas = config.replicas.map((one) => {
    const { role, slot, generation, machine, host, listen, port, debugHost, debugPort } = one
    return { role, slot, generation, machine, host, listen, port, debugHost, debugPort }
  })
  const named = { clusterId, historyId, tls, suite, directory, registration, debugHost }
  return { ...named, replicas, timings, limits, retention, log }
}

export function slotsOf(config: ClusterConfig, tier: Tier): number {
  return config.replicas.filter(({ role }) => role === tier).length
}

/** The level of a replica's log. */
export function logLevelOf({ log }: ClusterConfig, name: string): LogLevel {
  return log.levels[name] ?? log.level
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

function readLevels(check: Checker, value: unknown): Readonly<Record<string, LogLevel>> {
  const names = Object.keys(value ?? {}).filter((name) => /^[ps]\d$/.test(name))
  const given = check.object(value, 'log.levels', [...names, 'p1', 's1'])
  return Object.fromEntries(
    names.map((name) => [name, check.oneOf(given[name], `log.levels.${name}`, LEVELS)]),
  )
}

function readLog(check: Checker, value: unknown, environment: NodeJS.ProcessEnv) {
  const names = ['level', 'levels', 'maxFileBytes', 'maxFiles', 'stdout']
  const given = value === undefined ? {} : check.object(value, 'log', names)
  const level = environment['TROCA_LOG_LEVEL'] ?? given['level'] ?? 'info'
  const { maxFileBytes = 10 * 1024 * 1024, maxFiles = 5, stdout = true } = given
  return {
    level: check.oneOf(level, 'log.level', LEVELS),
    levels: readLevels(check, given['levels'] ?? {}),
    maxFileBytes: check.integer(maxFileBytes, 'log.maxFileBytes', 10_000, 2 ** 31),
    maxFiles: check.integer(maxFiles, 'log.maxFiles', 1, 100),
    stdout: check.oneOf(stdout, 'log.stdout', [true, false]),
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
    ...['clusterId', 'historyId', 'tls', 'suite', 'replicas', 'directory', 'debugHost'],
    ...['registration', 'retention', 'timings', 'limits', 'log'],
  ]
  const given = check.object(value, '', names)
  const tiers = check.object(given['replicas'], 'replicas', ['processing', 'persistence'])
  const debugHost = readHost(check, given['debugHost'] ?? '127.0.0.1', 'debugHost')
  const replicas = [
    ...readTier(check, tiers['processing'], 'processing', debugHost),
    ...readTier(check, tiers['persistence'], 'persistence', debugHost),
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
  if (limits.streamIdleMs < MIN_STREAM_IDLE_MS) {
    const why = `at least ${MIN_STREAM_IDLE_MS}: a client that pauses for a moment keeps its stream`
    check.problem('limits.streamIdleMs', `${limits.streamIdleMs}`, why)
  }
  const wanted = 'up to 64 of a-z 0-9 and -'
  const history = '32 hexadecimal digits, as restore or recover wrote them, or first'
  const place = check.text(given['directory'] ?? '.', 'directory', /./, 'a path')
  const config: ClusterConfig = {
    clusterId: check.text(given['clusterId'], 'clusterId', /^[a-z0-9-]{1,64}$/, wanted),
    historyId: check.text(given['historyId'] ?? FIRST_HISTORY, 'historyId', HISTORY, history),
    tls: tls === true || tls === 'on',
    suite: check.oneOf(given['suite'] ?? 'jwe', 'suite', ['jwe', 'rsa'] as const),
    replicas,
    directory: resolve(dirname(file), place),
    debugHost,
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
