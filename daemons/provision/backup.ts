// Makes and verifies backups. The log is copied from the file of one replica of this machine, which may
// be running: a reader of a write-ahead log sees one state of it.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { LOG, MANIFEST, manifestOf, pack, sha256Of, unpack, type Manifest } from './archive.js'
import { pathsOf, slotsOf, type ClusterConfig } from './config.js'
import { nameOf } from '../net/identity.js'
import { auditFile } from '../storage/audit.js'
import { begin, copyFile, factsOf, type LogFacts } from '../storage/log-copy.js'
import { compareEpochs } from '../../protocol/entries/epoch.js'

export interface BackupPlan {
  readonly out: string
  readonly keys: boolean
  /** Commit index that each running persistence replica of this machine has told; empty: none runs. */
  readonly committed: ReadonlyMap<string, number>
}

export interface BackupMade extends Manifest {
  readonly file: string
  /** Replica whose file was copied. */
  readonly from: string
  /** Replicas whose files were not fit, each with the reason. */
  readonly unfit: readonly string[]
}

interface Candidate extends LogFacts {
  readonly name: string
  readonly path: string
  /** Entries up to here are committed for certain, or are what the stopped cluster would go on with. */
  readonly through: number
}

/** The files of this machine, the best first. */
async function candidates(
  config: ClusterConfig,
  committed: ReadonlyMap<string, number>,
  unfit: string[],
): Promise<Candidate[]> {
  const found: Candidate[] = []
  for (const replica of config.replicas.filter(({ role }) => role === 'persistence')) {
    const name = nameOf(replica)
    const path = pathsOf(config, name).data
    if (!existsSync(path)) continue
    const facts = await factsOf(path).catch((error: Error) => void unfit.push(error.message))
    if (!facts) continue
    const { clusterId, historyId } = facts.genesis ?? {}
    if (clusterId === config.clusterId && historyId === config.historyId)
      found.push({
        ...facts,
        name,
        path,
        through: Math.max(facts.commit, committed.get(name) ?? 0),
      })
    else unfit.push(`${path} is of another cluster or history`)
  }
  const majority = Math.floor(slotsOf(config, 'persistence') / 2) + 1
  // All that an acknowledgement needs is on a majority of the files, though a file may not know it yet.
  if (committed.size === 0 && found.length >= majority) {
    const newest = (a: Candidate, b: Candidate) =>
      compareEpochs(b.logView, a.logView) || b.last - a.last
    return found.sort(newest).map((one) => ({ ...one, through: Infinity }))
  }
  return found.sort((a, b) => b.through - a.through)
}

/** Copies, cuts and audits one file; throws if the copy is unsound. */
async function takeLog({ path, genesis, through }: Candidate, target: string): Promise<void> {
  await copyFile(path, target)
  // A replica may have learnt of commits while its file was copied.
  const { commit, last } = await factsOf(target)
  if (Number.isFinite(through) && last < through)
    throw new Error(`${path} ends at ${last}, and its replica said ${through} are committed`)
  await begin(target, { genesis: genesis!, through: Math.max(through, commit) })
  const { fault } = await auditFile(target)
  if (fault) throw new Error(`${path} is damaged: ${fault}`)
}

async function takeBestLog(
  config: ClusterConfig,
  { committed }: BackupPlan,
  target: string,
): Promise<Pick<BackupMade, 'from' | 'unfit'>> {
  const unfit: string[] = []
  for (const candidate of await candidates(config, committed, unfit)) {
    try {
      await takeLog(candidate, target)
      return { from: candidate.name, unfit }
    } catch (error) {
      unfit.push((error as Error).message)
      for (const end of ['', '-wal', '-shm']) rmSync(target + end, { force: true })
    }
  }
  const why = unfit.length > 0 ? `: ${unfit.join('; ')}` : ''
  throw new Error(`no sound log is in ${join(config.directory, 'data')}${why}`)
}

function certificateFiles({ directory, tls }: ClusterConfig, keys: boolean): string[] {
  if (!tls || !keys) return []
  const names = readdirSync(join(directory, 'certificates')).filter((name) =>
    /^(ca\.key|[ps]\d\.(key|pem))$/.test(name),
  )
  return ['ca.pem', ...names.map((name) => join('certificates', name))]
}

/** Writes a backup of the cluster of `configFile` to `plan.out`. */
export async function makeBackup(
  config: ClusterConfig,
  configFile: string,
  plan: BackupPlan,
): Promise<BackupMade> {
  const file = resolve(plan.out)
  if (existsSync(file))
    throw new Error(`${file} exists and is not overwritten; name another file, or move it away`)
  mkdirSync(dirname(file), { recursive: true })
  const made = mkdtempSync(join(dirname(file), `.${basename(file)}-`))
  try {
    const taken = await takeBestLog(config, plan, join(made, LOG))
    copyFileSync(configFile, join(made, 'cluster.yaml'))
    const others = ['client.json', ...certificateFiles(config, plan.keys)]
    if (others.length > 1) mkdirSync(join(made, 'certificates'))
    for (const name of others) copyFileSync(join(config.directory, name), join(made, name))
    const names = [LOG, 'cluster.yaml', ...others]
    const sums = await Promise.all(
      names.map(async (name) => [name, await sha256Of(join(made, name))] as const),
    )
    const { last: index, time } = await factsOf(join(made, LOG))
    const { chain } = await auditFile(join(made, LOG))
    const { clusterId, historyId } = config
    const facts = { clusterId, historyId, slots: slotsOf(config, 'persistence'), index, time }
    const hex = Buffer.from(chain).toString('hex')
    const manifest = manifestOf({ ...facts, chain: hex, keys: plan.keys }, Object.fromEntries(sums))
    writeFileSync(join(made, MANIFEST), `${JSON.stringify(manifest, null, 2)}\n`)
    await pack(file, made, [MANIFEST, ...names])
    return { ...manifest, file, ...taken }
  } finally {
    rmSync(made, { recursive: true, force: true })
  }
}

/** Unpacks a backup into `into` and audits its log; throws for every fault. */
export async function openBackup(file: string, into: string): Promise<Manifest> {
  const manifest = await unpack(file, into)
  const { genesis, last, chain, fault } = await auditFile(join(into, LOG))
  const { clusterId, historyId, index } = manifest
  if (fault) throw new Error(`the log in ${file} is damaged: ${fault}; take another backup`)
  const same = genesis?.clusterId === clusterId && genesis.historyId === historyId
  if (!same || last !== index || Buffer.from(chain).toString('hex') !== manifest.chain)
    throw new Error(
      `the log in ${file} is not the one that its ${MANIFEST} names; take another backup`,
    )
  return manifest
}

export async function verifyBackup(file: string): Promise<Manifest> {
  const path = resolve(file)
  if (!existsSync(path)) throw new Error(`${path} is missing; name the file that backup wrote`)
  const opened = mkdtempSync(join(dirname(path), `.${basename(path)}-`))
  try {
    return await openBackup(path, opened)
  } finally {
    rmSync(opened, { recursive: true, force: true })
  }
}
