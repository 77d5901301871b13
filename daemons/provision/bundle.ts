// The bundle of one machine: all that its replicas need and nothing else, as one archive. Invariant:
// the empty store of a persistence replica is handed out once, because a replica that comes back
// with an empty store where it had another one would have forgotten what it has promised. A store in
// a bundle is gone from the folder; a later bundle has none, and its replica begins as a learner.

import {
  chmodSync,
  closeSync,
  copyFileSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { create } from 'tar'
import type { ReplicaAddress } from './addresses.js'
import { CLIENT_FILE, clientFileOf } from './client-file.js'
import { pathsOf, type ClusterConfig } from './config.js'
import { nameOf } from '../net/identity.js'
import { StoreUnsound } from '../storage/recover.js'
import { Store } from '../storage/store.js'
import { EPOCH_ZERO, sameEpoch } from '../../protocol/entries/epoch.js'

/** Names the machine whose folder this is. */
const MACHINE_FILE = 'machine'

export interface Bundled {
  readonly file: string
  readonly replicas: readonly string[]
  /** Persistence replicas whose empty store is in the bundle. */
  readonly stores: readonly string[]
}

/**
 * Whether the file is as init made it: no entry, no promise. A file that is in use, damaged or
 * missing is not.
 */
async function isNew(path: string): Promise<boolean> {
  try {
    const opened = await Store.open(path)
    if (!opened) return false
    await opened.store.close()
    const { durable, incarnation } = opened.recovered
    const promised = !sameEpoch(durable.promised, EPOCH_ZERO)
    return durable.last === 0 && !promised && incarnation.counter === 1
  } catch (error) {
    if (error instanceof StoreUnsound || /in use/.test((error as Error).message)) return false
    throw error
  }
}

function copy(from: string, to: string, mode: number): void {
  copyFileSync(from, to)
  chmodSync(to, mode)
}

/** Puts the certificates of these replicas into the folder; throws if one is not here. */
function stageCertificates(
  config: ClusterConfig,
  replicas: readonly ReplicaAddress[],
  stage: string,
): void {
  if (!config.tls) return
  copy(pathsOf(config, '').ca, join(stage, 'ca.pem'), 0o644)
  if (replicas.length > 0) mkdirSync(join(stage, 'certificates'), { mode: 0o700 })
  for (const replica of replicas) {
    const name = nameOf(replica)
    const { key, certificate } = pathsOf(config, name)
    for (const file of [key, certificate]) {
      if (existsSync(file)) continue
      const next = 'make bundles where troca init ran, or make new ones there: troca init --renew'
      throw new Error(`${file} is not here; it is needed for ${name}. ${next}`)
    }
    copy(key, join(stage, 'certificates', `${name}.key`), 0o600)
    copy(certificate, join(stage, 'certificates', `${name}.pem`), 0o644)
  }
}

async function pack(stage: string, out: string): Promise<void> {
  const draft = `${out}.new`
  rmSync(draft, { force: true })
  try {
    const options = { gzip: true, portable: true, file: draft, cwd: stage, mode: 0o600 }
    await create(options, readdirSync(stage).sort())
    const handle = openSync(draft, 'r')
    fsyncSync(handle)
    closeSync(handle)
    renameSync(draft, out)
  } catch (error) {
    rmSync(draft, { force: true })
    throw error
  }
}

function checkOut(config: ClusterConfig, file: string, clusterFile: string): string {
  const out = resolve(file)
  if (existsSync(out)) {
    throw new Error(`${out} exists and is not overwritten: name another file, or remove it`)
  }
  if (config.directory === dirname(resolve(clusterFile))) return out
  const is = `${clusterFile} has directory ${config.directory}`
  throw new Error(`${is}: a bundle needs all files in the folder of the cluster file`)
}

async function withStage<T>(out: string, work: (stage: string) => Promise<T>): Promise<T> {
  const stage = mkdtempSync(join(dirname(out), `.${basename(out)}-`))
  try {
    return await work(stage)
  } finally {
    rmSync(stage, { recursive: true, force: true })
  }
}

/** Writes the bundle of a machine; throws if the machine or one of its files is unknown here. */
export async function bundleMachine(
  config: ClusterConfig,
  clusterFile: string,
  machine: string,
  file: string,
): Promise<Bundled> {
  const out = checkOut(config, file, clusterFile)
  const replicas = config.replicas.filter((one) => one.machine === machine)
  if (replicas.length === 0) {
    const known = [...new Set(config.replicas.map((one) => one.machine))].join(', ')
    throw new Error(`${clusterFile} has no replica on a machine ${machine}; machines: ${known}`)
  }
  return withStage(out, async (stage) => {
    copy(clusterFile, join(stage, 'cluster.yaml'), 0o644)
    writeFileSync(join(stage, CLIENT_FILE), clientFileOf(config), { mode: 0o644 })
    writeFileSync(join(stage, MACHINE_FILE), `${machine}\n`, { mode: 0o644 })
    stageCertificates(config, replicas, stage)
    mkdirSync(join(stage, 'data'))
    const stores: string[] = []
    const aside: (readonly [data: string, kept: string])[] = []
    for (const replica of replicas.filter(({ role }) => role === 'persistence')) {
      const name = nameOf(replica)
      const { data } = pathsOf(config, name)
      if (!(await isNew(data))) continue
      copy(data, join(stage, 'data', `${name}.db`), 0o600)
      stores.push(name)
      aside.push([data, `${data}.bundled`])
    }
    // Before the archive is complete: a crash in between loses an empty store, and gives none twice.
    for (const [data, kept] of aside) renameSync(data, kept)
    try {
      await pack(stage, out)
    } catch (error) {
      for (const [data, kept] of aside) renameSync(kept, data)
      throw error
    }
    for (const [data, kept] of aside) {
      rmSync(kept)
      rmSync(`${data}.lock`, { force: true })
    }
    return { file: out, replicas: replicas.map(nameOf), stores }
  })
}

/** Writes the bundle of a client: addresses and authority. */
export async function bundleClient(
  config: ClusterConfig,
  clusterFile: string,
  file: string,
): Promise<Bundled> {
  const out = checkOut(config, file, clusterFile)
  return withStage(out, async (stage) => {
    writeFileSync(join(stage, CLIENT_FILE), clientFileOf(config), { mode: 0o644 })
    stageCertificates(config, [], stage)
    await pack(stage, out)
    return { file: out, replicas: [], stores: [] }
  })
}
