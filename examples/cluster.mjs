// Shared by the examples: finds the cluster in the folder TROCA_DIR, or in .troca of the current
// folder, where `troca up` has written client.json and ca.pem.

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { TrocaError, connect } from 'troca'

export const folder = process.env['TROCA_DIR'] ?? '.troca'
const password = process.env['TROCA_PASSWORD'] ?? 'of the examples only'

/** @returns {import('troca').ConnectOptions} */
export function cluster() {
  const { clusterId, tls, servers, ca } = JSON.parse(
    readFileSync(join(folder, 'client.json'), 'utf8'),
  )
  return { clusterId, tls, servers, ...(tls ? { ca: readFileSync(join(folder, ca)) } : {}) }
}

/**
 * A logged-in client; the first call for a name makes the account.
 *
 * @param {string} name
 * @param {import('troca').RegisterOptions & { keyStore?: import('troca').KeyStore }} [options]
 */
export async function enter(name, { keyStore, ...options } = {}) {
  const client = await connect({ ...cluster(), ...(keyStore ? { keyStore } : {}) })
  try {
    await client.register(name, password, options)
  } catch (error) {
    if (!(error instanceof TrocaError) || error.name !== 'NAME_TAKEN') {
      client.abandon('no account')
      throw error
    }
    await client.login(name, password)
  }
  return client
}
