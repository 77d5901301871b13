// Makes a new cluster folder from a backup. The log begins a new history, because replicas and clients
// may still have positions beyond the end of the backup.

import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  rmdirSync,
} from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import { LOG, MANIFEST, type Manifest } from './archive.js'
import { openBackup } from './backup.js'
import { changeClusterFile, setHistory } from './cluster-file.js'
import { newHistory } from './cluster.js'
import { pathsOf, readConfig, slotsOf } from './config.js'
import { makeCertificates } from './issuance.js'
import { nameOf } from '../net/identity.js'
import { begin } from '../storage/log-copy.js'

export interface Restored {
  readonly directory: string
  /** What the backup holds, its history among it. */
  readonly backup: Manifest
  readonly historyId: string
  /** The backup has no keys: clients need the new ca.pem. */
  readonly newAuthority: boolean
}

async function fill(directory: string, { clusterId, keys }: Manifest, historyId: string) {
  const file = join(directory, 'cluster.yaml')
  changeClusterFile(file, (document) => {
    document.delete('directory')
    setHistory(document, historyId)
  })
  const config = readConfig(file, {})
  const newAuthority = config.tls && !keys
  if (newAuthority) await makeCertificates(directory, clusterId, config.replicas)
  const log = join(directory, LOG)
  const slots = slotsOf(config, 'persistence')
  await begin(log, { genesis: { clusterId, historyId, slots }, through: Infinity })
  mkdirSync(join(directory, 'data'))
  for (const replica of config.replicas.filter(({ role }) => role === 'persistence'))
    copyFileSync(log, pathsOf(config, nameOf(replica)).data)
  rmSync(log)
  rmSync(join(directory, MANIFEST))
  return newAuthority
}

/** Throws if the directory is not empty; a failure leaves no files behind. */
export async function restore(file: string, into: string): Promise<Restored> {
  const directory = resolve(into)
  if (existsSync(directory) && readdirSync(directory).length > 0) {
    const what = existsSync(join(directory, 'cluster.yaml')) ? 'a cluster' : 'files'
    const next = 'move that away, or name another folder with --dir'
    throw new Error(`${directory} has ${what} in it and is not overwritten; ${next}`)
  }
  mkdirSync(dirname(directory), { recursive: true })
  const made = mkdtempSync(join(dirname(directory), `.${basename(directory)}-`))
  try {
    const backup = await openBackup(resolve(file), made)
    const historyId = newHistory()
    const newAuthority = await fill(made, backup, historyId)
    if (existsSync(directory)) rmdirSync(directory)
    renameSync(made, directory)
    return { directory, backup, historyId, newAuthority }
  } catch (error) {
    rmSync(made, { recursive: true, force: true })
    throw error
  }
}
