// Makes a cluster: node dist/daemons/init.js --dir .troca --processing 3 --persistence 3
//   [--base-port N] [--key-bits N] [--registration open] [--plain] [--json]
//   [--host 127.0.0.1] [--host p1=10.0.0.1 ...] or [--machines a=10.0.0.1,b=10.0.0.2,c=10.0.0.3]
// The cluster is made in a directory beside --dir and renamed at the end, so that it is whole or
// absent. With --renew: makes new certificates for the replicas of the cluster in --dir. With
// --client: writes client.json of the cluster in --dir anew. Both follow an edited cluster.yaml.

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { writeClientFile } from './provision/client-file.js'
import { makeCluster } from './provision/cluster.js'
import { readConfig } from './provision/config.js'
import { renewCertificates } from './provision/issuance.js'
import { placesOf } from './provision/places.js'
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
      processing: { type: 'string' },
      persistence: { type: 'string' },
      'base-port': { type: 'string', default: '7400' },
      'key-bits': { type: 'string', default: '3072' },
      registration: { type: 'string', default: 'open' },
      host: { type: 'string', multiple: true, default: [] },
      machines: { type: 'string' },
      plain: { type: 'boolean', default: false },
      renew: { type: 'boolean', default: false },
      client: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  if (values.renew) {
    const renewed = await renewCertificates(join(values.dir, 'cluster.yaml'))
    const text = values.json ? JSON.stringify({ renewed }) : `renewed: ${renewed.join(' ')}`
    return void process.stdout.write(`${text}\n`)
  }
  if (values.client) {
    const written = writeClientFile(readConfig(join(values.dir, 'cluster.yaml')))
    return void process.stdout.write(`${JSON.stringify({ written })}\n`)
  }
  const { machines, ...where } = placesOf(values.host, values.machines)
  if (machines !== null && (values.processing ?? values.persistence) !== undefined) {
    throw new Error('--machines puts a replica of either tier on each machine: no other number')
  }
  const replicas = String(machines ?? 3)
  const processing = number('processing', values.processing ?? replicas, 1, 9)
  const persistence = number('persistence', values.persistence ?? replicas, 1, 9)
  const made = await makeCluster({
    ...{ directory: values.dir, processing, persistence },
    basePort: number('base-port', values['base-port'], 1, 65_400),
    keyBits: number('key-bits', values['key-bits'], 2_048, 8_192),
    registration: registration(values.registration),
    ...where,
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
