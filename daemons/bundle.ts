// Writes the bundle of a machine, or of a client: node dist/daemons/bundle.js --dir .troca
//   --out FILE (--machine NAME | --client) [--json]

import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { bundleClient, bundleMachine } from './provision/bundle.js'
import { readConfig } from './provision/config.js'

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      dir: { type: 'string', default: '.troca' },
      out: { type: 'string' },
      machine: { type: 'string' },
      client: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const { dir, out, machine, client, json } = values
  if (out === undefined || (machine === undefined) !== client) {
    throw new Error('usage: node dist/daemons/bundle.js --out FILE (--machine NAME | --client)')
  }
  const file = join(dir, 'cluster.yaml')
  const config = readConfig(file)
  const made =
    machine === undefined
      ? await bundleClient(config, file, out)
      : await bundleMachine(config, file, machine, out)
  const { replicas, stores } = made
  const text = `${made.file}: ${replicas.join(' ') || 'a client'}; new stores: ${stores.length}`
  process.stdout.write(`${json ? JSON.stringify(made) : text}\n`)
}

main().catch((error: unknown) => {
  process.stderr.write(`troca bundle: ${(error as Error).message}\n`)
  process.exitCode = 1
})
