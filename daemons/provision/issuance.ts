// The certificates in a cluster's folder: issued by its own authority when the cluster is made, and
// renewed by the same authority while the replicas run, which reload the files.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { authorityOf, authorityPem, issue, makeAuthority } from './certificates.js'
import type { Authority } from './certificates.js'
import { writeClientFile } from './client-file.js'
import { pathsOf, readConfig } from './config.js'
import { replaceFile } from './replace-file.js'
import type { Address } from '../net/dialler.js'
import { nameOf } from '../net/identity.js'
import type { Replica } from '../net/identity.js'

const keyOfAuthority = (directory: string): string => join(directory, 'certificates', 'ca.key')

async function issueAll(
  directory: string,
  clusterId: string,
  authority: Authority,
  replicas: readonly (Replica & Pick<Address, 'host'>)[],
): Promise<string[]> {
  const names: string[] = []
  for (const replica of replicas) {
    const { host } = replica
    const name = nameOf(replica)
    const hosts = [...new Set([host, '127.0.0.1', 'localhost'])]
    const { certificate, key } = await issue(authority, clusterId, replica, hosts)
    const paths = pathsOf({ directory }, name)
    // A replica may be reading the files.
    replaceFile(paths.key, key, 0o600)
    replaceFile(paths.certificate, certificate, 0o644)
    names.push(name)
  }
  return names
}

/** Makes the authority and all certificates of a new cluster. */
export async function makeCertificates(
  directory: string,
  clusterId: string,
  replicas: readonly (Replica & Pick<Address, 'host'>)[],
): Promise<void> {
  mkdirSync(join(directory, 'certificates'), { mode: 0o700 })
  const authority = await makeAuthority(clusterId)
  const { certificate, key } = await authorityPem(authority)
  writeFileSync(pathsOf({ directory }, '').ca, certificate)
  writeFileSync(keyOfAuthority(directory), key, { mode: 0o600 })
  await issueAll(directory, clusterId, authority, replicas)
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    const needed = 'the authority that troca init made is needed to sign; put it back from a copy'
    throw new Error(`${file} cannot be read (${code}); ${needed}`, { cause: error })
  }
}

/**
 * Issues a new key and certificate for every replica of the cluster file, or for one of them, and
 * writes client.json anew; returns the names of the replicas.
 */
export async function renewCertificates(configFile: string, one?: string): Promise<string[]> {
  const config = readConfig(configFile)
  const { directory, clusterId, replicas, tls } = config
  if (!tls) throw new Error(`${configFile} has tls off: there are no certificates to renew`)
  const certificate = read(pathsOf(config, '').ca)
  const authority = await authorityOf({ certificate, key: read(keyOfAuthority(directory)) })
  writeClientFile(config)
  const named = replicas.filter((replica) => one === undefined || nameOf(replica) === one)
  return issueAll(directory, clusterId, authority, named)
}
