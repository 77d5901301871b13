// Makes the files of a new cluster: the cluster file, the certificates, one empty store for each
// persistence replica, and client.json. Invariant: genesis is written here only, once for a
// cluster.

import { randomBytes } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { stringify } from 'yaml'
import { CLIENT_FILE, writeClientFile } from './client-file.js'
import { checkConfig, pathsOf } from './config.js'
import { nameOf } from '../net/identity.js'
import { makeCertificates } from './issuance.js'
import { Store } from '../storage/store.js'
import type { Tier } from '../../protocol/slots.js'
import type { Origin } from '../../protocol/entries/origin.js'
import type { Registration } from '../../protocol/machine/config.js'

export interface ClusterPlan {
  readonly directory: string
  readonly processing: number
  readonly persistence: number
  readonly basePort: number
  readonly keyBits: number
  readonly registration: Registration
  readonly host: string
  /** Place by name of a replica (p1, s1); the others are at `host`. */
  readonly places?: ReadonlyMap<string, ReplicaPlace>
  readonly tls: boolean
}

export interface ReplicaPlace {
  readonly host: string
  /** Name of the machine; its host if it is left out. */
  readonly machine?: string
}

export interface ClusterMade {
  readonly clusterId: string
  readonly directory: string
  readonly config: string
  readonly client: string
}

/**
 * Added to the base port: p1 ... listens at 1 ..., s1 ... at 21 ...; their debug ports at 11 and
 * 31.
 */
const OFFSETS = { processing: 0, persistence: 20 } as const
const DEBUG_OFFSET = 10

function planned(plan: ClusterPlan, role: Tier) {
  return Array.from({ length: plan[role] }, (_, i) => {
    const slot = i + 1
    const port = plan.basePort + OFFSETS[role] + slot
    const place = plan.places?.get(nameOf({ role, slot })) ?? { host: plan.host }
    return { slot, ...place, port, debugPort: port + DEBUG_OFFSET }
  })
}

/** A history id: 128 random bits. */
export function newHistory(): string {
  return randomBytes(16).toString('hex')
}

function clusterFile(plan: ClusterPlan, { clusterId, historyId }: Origin) {
  const replicas = {
    processing: planned(plan, 'processing'),
    persistence: planned(plan, 'persistence'),
  }
  for (const name of plan.places?.keys() ?? []) {
    const most = name.startsWith('p') ? plan.processing : plan.persistence
    if (Number(name.slice(1)) <= most) continue
    throw new Error(`there is a host for ${name}; the cluster has only ${most} of its tier`)
  }
  const { tls, registration, keyBits } = plan
  return { clusterId, historyId, tls, replicas, registration, limits: { keyBits } }
}

async function fill(directory: string, plan: ClusterPlan, origin: Origin): Promise<void> {
  const { clusterId } = origin
  const file = clusterFile(plan, origin)
  const config = checkConfig(file, join(directory, 'cluster.yaml'))
  writeFileSync(join(directory, 'cluster.yaml'), stringify(file))
  if (plan.tls) await makeCertificates(directory, clusterId, config.replicas)
  mkdirSync(join(directory, 'data'))
  const slots = plan.persistence
  for (const { slot } of file.replicas.persistence) {
    const { data } = pathsOf(config, nameOf({ role: 'persistence', slot }))
    await Store.create(data, { ...origin, slots }, { counter: 1, nonce: '' })
  }
  writeClientFile(config)
}

/** Makes a cluster. Throws if the directory is not empty; a failure leaves no files behind. */
export async function makeCluster(plan: ClusterPlan): Promise<ClusterMade> {
  const directory = resolve(plan.directory)
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    const what = existsSync(join(directory, 'cluster.yaml')) ? 'a cluster' : 'files'
    throw new Error(`${directory} has ${what} in it; choose another directory or move that away`)
  }
  mkdirSync(dirname(directory), { recursive: true })
  const clusterId = `troca-${randomBytes(4).toString('hex')}`
  const made = mkdtempSync(join(dirname(directory), `.${basename(directory)}-`))
  try {
    await fill(made, plan, { clusterId, historyId: newHistory() })
    if (existsSync(directory)) rmdirSync(directory)
    renameSync(made, directory)
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    throw error
  }
  const at = (file: string) => join(directory, file)
  return { clusterId, directory, config: at('cluster.yaml'), client: at(CLIENT_FILE) }
}
