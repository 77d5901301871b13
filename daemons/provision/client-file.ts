// client.json: what a client needs to reach the cluster. It is written from the cluster file, whose
// `host` is the address that clients dial.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { slotsOf, type ClusterConfig } from './config.js'
import { replaceFile } from './replace-file.js'

export const CLIENT_FILE = 'client.json'

export function clientFileOf(config: ClusterConfig): string {
  const { clusterId, tls, replicas } = config
  const servers = replicas
    .filter(({ role }) => role === 'processing')
    .map(({ slot, host, port }) => ({ slot, host, port }))
  const needed = Math.floor(slotsOf(config, 'persistence') / 2) + 1
  const client = { clusterId, tls, ...(tls && { ca: 'ca.pem' }), servers, needed }
  return `${JSON.stringify(client, null, 2)}\n`
}

/** Whether client.json is the one of this cluster file. */
export function isCurrent(config: ClusterConfig): boolean {
  try {
    return readFileSync(join(config.directory, CLIENT_FILE), 'utf8') === clientFileOf(config)
  } catch {
    return false
  }
}

/** Writes client.json, unless it is the one of this cluster file already; says whether it did. */
export function writeClientFile(config: ClusterConfig): boolean {
  if (isCurrent(config)) return false
  replaceFile(join(config.directory, CLIENT_FILE), clientFileOf(config), 0o644)
  return true
}
