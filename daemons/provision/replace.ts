// Gives the slot of a dead machine, or of a lost key, to a newcomer: a certificate of the next
// generation, which alone is accepted from then on, and no file. The newcomer catches up from the others.

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { changeClusterFile } from './cluster-file.js'
import { replaceFile } from './replace-file.js'
import { checkConfig, pathsOf, readConfig } from './config.js'
import { nameOf } from '../net/identity.js'
import { renewCertificates } from './issuance.js'
import { lock } from '../storage/files.js'

export interface Replaced {
  readonly name: string
  readonly generation: number
  readonly host: string
  readonly port: number
  /** The file of before, moved; null: there was none here. */
  readonly before: string | null
  readonly tls: boolean
}

/** client.json has the addresses of the processing replicas. */
function changeClientFile(file: string, slot: number, host: string): void {
  if (!existsSync(file)) return
  const client = JSON.parse(readFileSync(file, 'utf8')) as {
    servers: { slot: number; host: string; port: number }[]
  }
  client.servers = client.servers.map((server) =>
    server.slot === slot ? { ...server, host } : server,
  )
  writeFileSync(file, `${JSON.stringify(client, null, 2)}\n`)
}

/** Puts the file of the replica aside, which must not run here; gives the new path. */
async function setAside(path: string): Promise<string | null> {
  if (!existsSync(path)) return null
  const locked = await lock(path)
  try {
    let n = 1
    while (existsSync(`${path}.replaced-${n}`)) n++
    for (const end of ['', '-wal', '-shm', '.damage'])
      if (existsSync(path + end)) renameSync(path + end, `${path}.replaced-${n}${end}`)
    return `${path}.replaced-${n}`
  } finally {
    await locked.close()
  }
}

/** Replaces one replica. Throws before anything is changed if it runs here, or is not in the cluster. */
export async function replaceReplica(
  configFile: string,
  name: string,
  host?: string,
): Promise<Replaced> {
  const config = readConfig(configFile, {})
  const old = config.replicas.find((one) => nameOf(one) === name)
  const all = config.replicas.map(nameOf).join(', ')
  if (!old) throw new Error(`${name} is no replica of this cluster; its replicas are ${all}`)
  const at = config.replicas.filter(({ role }) => role === old.role).indexOf(old)
  const generation = old.generation + 1
  const text = readFileSync(configFile, 'utf8')
  const before = await setAside(pathsOf(config, name).data)
  try {
    changeClusterFile(configFile, (document) => {
      document.setIn(['replicas', old.role, at, 'generation'], generation)
      if (host !== undefined) document.setIn(['replicas', old.role, at, 'host'], host)
      checkConfig(document.toJS(), configFile)
    })
    if (config.tls) await renewCertificates(configFile, name)
  } catch (error) {
    replaceFile(configFile, text)
    throw error
  }
  if (host !== undefined && old.role === 'processing')
    changeClientFile(join(config.directory, 'client.json'), old.slot, host)
  const { port, host: oldHost } = old
  return { name, generation, host: host ?? oldHost, port, before, tls: config.tls }
}
