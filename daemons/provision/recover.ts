// Makes files that are left the cluster: after the loss of a majority of files, after false promises of
// a replica with stolen keys, or for a log whose order time is far ahead. The cluster is stopped. Every
// persistence replica gets a copy of the newest of the named logs, in a new history; the files of before
// are kept beside them.

import { copyFileSync, existsSync, mkdirSync, readdirSync, renameSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { changeClusterFile, setHistory } from './cluster-file.js'
import { newHistory } from './cluster.js'
import { pathsOf, slotsOf, type ClusterConfig } from './config.js'
import { nameOf } from '../net/identity.js'
import { auditFile } from '../storage/audit.js'
import type { Connection } from '../storage/connection.js'
import { lock } from '../storage/files.js'
import { begin, copyFile, factsOf, placeBefore, type LogFacts } from '../storage/log-copy.js'
import { sameBytes } from '../../protocol/bytes.js'
import { compareEpochs } from '../../protocol/entries/epoch.js'

export interface RecoveryWish {
  /** Replicas whose files become the cluster; empty: all whose files are sound. */
  readonly from: readonly string[]
  /** Time at which orders go on, ms since 1970; null: as the log says. */
  readonly orderTime: number | null
}

/** What a persistence replica's file is. */
interface FileState {
  readonly name: string
  readonly state: 'sound' | 'missing' | 'damaged' | 'foreign'
  /** Why the file cannot be used; empty: it can. */
  readonly reason: string
  readonly last: number
  readonly commit: number
  /** Time of the last order, ms since 1970. */
  readonly time: number
  /** Last entry that this file and the kept log have in common. */
  readonly common: number
}

export interface RecoveryPlan {
  /** Replica whose log is kept. */
  readonly kept: string
  readonly last: number
  readonly time: number
  readonly files: readonly FileState[]
  /**
   * So many files have nothing beyond the kept log that each acknowledged entry is in it, if none of them
   * is an old copy.
   */
  readonly complete: boolean
  readonly historyId: string
}

export interface Recovered extends RecoveryPlan {
  readonly newHistoryId: string
  /** Folder with the files of before. */
  readonly before: string
}

interface Examined extends FileState {
  readonly facts: LogFacts | null
}

const persistenceOf = ({ replicas }: ClusterConfig): string[] =>
  replicas.filter(({ role }) => role === 'persistence').map(nameOf)

const NOTHING = { last: 0, commit: 0, time: 0, common: 0, facts: null }

async function examine(config: ClusterConfig, name: string): Promise<Examined> {
  const path = pathsOf(config, name).data
  if (!existsSync(path)) return { name, state: 'missing', reason: `${path} is missing`, ...NOTHING }
  try {
    const facts = await factsOf(path)
    const { fault, commit } = await auditFile(path)
    const { genesis, last, time } = facts
    const of = { ...NOTHING, name, last, commit, time, facts }
    if (fault) return { ...of, state: 'damaged', reason: `${path}: ${fault}` }
    if (genesis?.clusterId === config.clusterId) return { ...of, state: 'sound', reason: '' }
    const is = genesis ? `is of cluster ${genesis.clusterId}` : 'is empty: a learner began it'
    return { ...of, state: 'foreign', reason: `${path} ${is}` }
  } catch (error) {
    return { name, state: 'damaged', reason: (error as Error).message, ...NOTHING }
  }
}

/** The last place that both logs have, found by halves: logs with one place have all before it. */
async function commonPlace(a: string, b: string, upTo: number): Promise<number> {
  let [low, high] = [0, upTo]
  while (low < high) {
    const middle = Math.ceil((low + high) / 2)
    const [one, other] = [await placeBefore(a, middle), await placeBefore(b, middle)]
    const same = one.index === other.index && sameBytes(one.chain, other.chain)
    if (same) low = middle
    else high = middle - 1
  }
  return (await placeBefore(a, low)).index
}

function newest(files: readonly Examined[]): Examined {
  return files.reduce((best, one) => {
    const order = compareEpochs(one.facts!.logView, best.facts!.logView) || one.last - best.last
    return order > 0 ? one : best
  })
}

function namedFiles(files: readonly Examined[], from: readonly string[]): Examined[] {
  const named = from.length === 0 ? files.filter(({ state }) => state === 'sound') : []
  for (const name of from) {
    const found = files.find((one) => one.name === name)
    const all = files.map((one) => one.name).join(', ')
    if (!found) throw new Error(`--from ${name}: the persistence replicas are ${all}`)
    if (found.state !== 'sound')
      throw new Error(`--from ${name}: ${found.reason}; name a replica whose file is sound`)
    named.push(found)
  }
  if (named.length > 0) return named
  const why = files.map(({ reason }) => reason).join('; ')
  throw new Error(`no sound file is left: ${why}. Restore a backup: troca restore FILE`)
}

/** What a recovery would keep and lose. The cluster must be stopped. Changes nothing. */
export async function planRecovery(
  config: ClusterConfig,
  { from, orderTime }: RecoveryWish,
): Promise<RecoveryPlan> {
  const files = await Promise.all(persistenceOf(config).map((name) => examine(config, name)))
  const named = namedFiles(files, from)
  const kept = newest(named)
  if (orderTime !== null && kept.time <= orderTime) {
    const is = `the last order of ${kept.name} is of ${new Date(kept.time).toISOString()}`
    throw new Error(`${is}, which is not ahead of that time: there is nothing to set back`)
  }
  const pathOf = (name: string) => pathsOf(config, name).data
  const compared = files.map(async ({ facts, ...file }): Promise<FileState> => {
    if (!facts || file.state === 'foreign') return file
    const upTo = Math.min(file.last, kept.last)
    return { ...file, common: await commonPlace(pathOf(file.name), pathOf(kept.name), upTo) }
  })
  const slots = slotsOf(config, 'persistence')
  // Each majority has one of so many files in it.
  const enough = slots - Math.floor(slots / 2)
  const { name, last, time } = kept
  const { historyId } = config
  const states = await Promise.all(compared)
  const within = states.filter((one) => one.state === 'sound' && one.common === one.last)
  const complete = within.length >= enough
  return { kept: name, last, time, files: states, complete, historyId }
}

/** Runs `work` while no replica of the cluster can have its file open. */
export async function whileStopped<T>(config: ClusterConfig, work: () => Promise<T>): Promise<T> {
  const locks: Connection[] = []
  try {
    mkdirSync(join(config.directory, 'data'), { recursive: true })
    for (const replica of config.replicas) {
      const name = nameOf(replica)
      try {
        locks.push(await lock(pathsOf(config, name).data))
      } catch (error) {
        if (!/in use/.test((error as Error).message)) throw error
        throw new Error(`${name} is running; stop the cluster first: troca down`, { cause: error })
      }
    }
    return await work()
  } finally {
    for (const one of locks) await one.close()
  }
}

/** Puts the files of all replicas into a folder of their own. */
function setAside(config: ClusterConfig): string {
  const data = join(config.directory, 'data')
  const start = `before-${config.historyId.slice(0, 8)}`
  let before = join(data, start)
  for (let n = 2; existsSync(before); n++) before = join(data, `${start}-${n}`)
  mkdirSync(before)
  for (const name of readdirSync(data))
    if (/^[ps]\d\.db(-wal|-shm|\.damage)?$/.test(name))
      renameSync(join(data, name), join(before, name))
  return before
}

/** Carries a plan out. */
export async function recoverCluster(
  config: ClusterConfig,
  configFile: string,
  wish: RecoveryWish,
): Promise<Recovered> {
  const plan = await planRecovery(config, wish)
  const newHistoryId = newHistory()
  const { clusterId } = config
  const genesis = { clusterId, historyId: newHistoryId, slots: slotsOf(config, 'persistence') }
  const { orderTime: time } = wish
  const nonce = randomBytes(8).toString('hex')
  const draft = join(config.directory, 'data', `${newHistoryId}.draft`)
  await copyFile(pathsOf(config, plan.kept).data, draft)
  const orderTime = time === null ? null : { time, nonce }
  await begin(draft, { genesis, through: Infinity, orderTime })
  // From here on no file of before is taken for one of this history.
  changeClusterFile(configFile, (document) => setHistory(document, newHistoryId))
  const before = setAside(config)
  const [first, ...others] = persistenceOf(config).map((name) => pathsOf(config, name).data)
  for (const path of others) copyFileSync(draft, path)
  renameSync(draft, first!)
  return { ...plan, newHistoryId, before }
}
