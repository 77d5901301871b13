// Prints, as JSON, what a cluster's folder shows without starting anything: problems of the cluster
// file, the replicas, and each certificate that is here. node dist/daemons/inspect.js --dir .troca

import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import type { ReplicaAddress } from './provision/addresses.js'
import { isCurrent } from './provision/client-file.js'
import { ConfigError, pathsOf, readConfig } from './provision/config.js'
import type { ClusterConfig } from './provision/config.js'
import { checkCredentials, outsideValidity, readCredentials } from './net/credentials.js'
import { nameOf, uriOf } from './net/identity.js'

function certificate(config: ClusterConfig, replica: ReplicaAddress) {
  const name = nameOf(replica)
  const { ca, certificate, key } = pathsOf(config, name)
  const files = { ca, certificate, key }
  // A folder of one machine has the files of its own replicas only.
  const here = existsSync(certificate) || existsSync(key)
  try {
    const chain = checkCredentials(readCredentials(files), uriOf(config.clusterId, replica))
    const { fingerprint256: fingerprint, validTo } = chain.own
    const expires = Date.parse(validTo)
    const authorityExpires = Date.parse(chain.authority.validTo)
    const problem = outsideValidity(chain, Date.now())
    return { name, file: certificate, here, problem, expires, authorityExpires, fingerprint }
  } catch (error) {
    return { name, file: certificate, here, problem: (error as Error).message }
  }
}

function inspect(file: string) {
  try {
    const config = readConfig(file)
    const { tls, replicas, directory } = config
    return {
      ...{ problems: [], directory, tls, clientFileIsCurrent: isCurrent(config) },
      replicas: replicas.map((one) => {
        const { role, slot, machine, host, port, debugHost, debugPort } = one
        const uri = uriOf(config.clusterId, one)
        return { name: nameOf({ role, slot }), uri, machine, host, port, debugHost, debugPort }
      }),
      certificates: tls ? replicas.map((replica) => certificate(config, replica)) : [],
    }
  } catch (error) {
    if (error instanceof ConfigError) return { problems: error.problems }
    throw error
  }
}

const { values } = parseArgs({ options: { dir: { type: 'string', default: '.troca' } } })
process.stdout.write(`${JSON.stringify(inspect(join(values.dir, 'cluster.yaml')))}\n`)
