// Makes a cluster: node dist/daemons/init.js --dir .troca --processing 3 --persistence 3
//   [--base-port N] [--key-bits N] [--registration open] [--host 127.0.0.1] [--plain] [--json]
// The cluster is made in a directory beside --dir and renamed at the end, so that it is whole or
// absent. With --renew: makes new certificates for the replicas of the cluster in --dir.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { makeCluster } from './provision/cluster.js'
import { renewCertificates } from './provision/issuance.js'
import { REGISTRATION, type Registration } from '../protocol/machine/config.js'

function number(name: string, text: string, min: number, max: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= min && value <= max) return value
  throw new Error(`--${name} ${text}: a whole number ${min} ... ${max} is needed`)
}

function registration(text: string): Registration {
  const known = REGISTRATION.find((one) => one === text)
  if (known) return known
  throw new Error(`--registration ${text}: one of ${REGISTRATION.join(', ')} is needed`)
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: '.troca' },
      processing: { type: 'string', default: '3' },
      persistence: { type: 'string', default: '3' },
      'base-port': { type: 'string', default: '7400' },
      'key-bits': { type: 'string', default: '3072' },
      registration: { type: 'string', default: 'open' },
      host: { type: 'string', default: '127.0.0.1' },
      plain: { type: 'boolean', default: false },
      renew: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.renew) {
    const renewed = await renewCertificates(join(values.dir, 'cluster.yaml'))
    const text = values.json ? JSON.stringify({ renewed }) : `renewed: ${renewed.join(' ')}`
    return void process.stdout.write(`${text}\n`)
  }
  const made = await makeCluster({
    directory: values.dir,
    processing: number('processing', values.processing, 1, 9),
    persistence: number('persistence', values.persistence, 1, 9),
    basePort: number('base-port', values['base-port'], 1, 65_400),
    keyBits: number('key-bits', values['key-bits'], 2_048, 8_192),
    registration: registration(values.registration),
    host: values.host,
    tls: !values.plain,
  })
  if (values.json) return void process.stdout.write(`${JSON.stringify(made)}\n`)
  const { clusterId, directory, config, client } = made
  const lines = [`cluster ${clusterId} made in ${directory}`, `configuration: ${config}`]
  process.stdout.write(`${[...lines, `for clients: ${client}`].join('\n')}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`troca init: ${(error as Error).message}\n`)
  process.exitCode = 1
})
