// troca join: makes the folder of a machine or of a client, from a bundle or from addresses.

import { existsSync, readFileSync } from 'node:fs'
import { join as joinPath } from 'node:path'
import type { CommandModule } from 'yargs'
import { confirmAuthority, fingerprintsIn, fingerprintsOf, noteAuthority } from '../authority.js'
import { demandEmpty, hasRun, layOut, removeStores } from '../bundle.js'
import { replicasOf } from '../cluster-file.js'
import { Context } from '../context.js'
import type { GlobalFlags } from '../context.js'
import { addressesOf, authorityOf, joinAt, shownAt } from '../join.js'
import { namesOf } from '../machine.js'
import { note, result, resultJson } from '../output.js'
import { sayMachine } from '../machine-texts.js'

interface Flags extends GlobalFlags {
  from: string[]
  fingerprint?: string | undefined
  ca?: string | undefined
}

async function joinBundle(context: Context, file: string, expected?: string): Promise<void> {
  const { dir, json } = context
  const accept = (given: readonly string[]): Promise<void> =>
    expected === undefined ? Promise.resolve() : confirmAuthority(given, expected)
  const { machine, stores } = await layOut(file, dir, accept)
  const ran = stores.length > 0 ? await hasRun(dir) : null
  if (ran) removeStores(dir, stores)
  if (json) return resultJson({ dir, machine, stores: ran ? [] : stores })
  noteAuthority(fingerprintsIn(dir))
  const names = stores.join(' ')
  if (ran) note(sayMachine('storesLeftOut', { names }))
  else if (ran === null && stores.length > 0) {
    const files = stores.map((name) => joinPath(dir, 'data', `${name}.db`)).join(' ')
    note(sayMachine('storesKept', { names, files }))
  }
  if (machine === null) {
    const { clusterId: cluster = '' } = context.servers()
    return result(sayMachine('joinedClient', { dir, cluster }))
  }
  const own = replicasOf(dir).filter((one) => one.machine === machine)
  result(sayMachine('joinedMachine', { dir, machine, names: namesOf(own) }))
}

async function joinAddresses(context: Context, { from, fingerprint, ca }: Flags): Promise<void> {
  const { dir, json } = context
  demandEmpty(dir)
  const shown = await Promise.all(addressesOf(from).map(shownAt))
  const given = ca === undefined ? null : readFileSync(ca, 'utf8')
  const authority = authorityOf(shown, given)
  // A file of the authority came by a way that the user trusts, so it is not compared again.
  if (given === null || fingerprint !== undefined) {
    await confirmAuthority(fingerprintsOf(authority), fingerprint)
  }
  const { clusterId: cluster, replicas } = await joinAt(dir, shown, authority)
  const all = replicas.filter(({ tier }) => tier === 'processing').length
  if (json) return resultJson({ dir, cluster, servers: shown.length, all })
  if (shown.length < all) note(sayMachine('fewServers', { known: shown.length, all }))
  result(sayMachine('joinedClient', { dir, cluster }))
}

export const join: CommandModule<GlobalFlags, Flags> = {
  command: 'join <from..>',
  describe: 'make the folder of a machine or a client, from a bundle or from host:port ...',
  builder: (yargs) =>
    yargs
      .positional('from', {
        ...{ type: 'string', array: true, demandOption: true },
        describe: 'a bundle, or the addresses of the processing replicas',
      })
      .option('fingerprint', {
        type: 'string',
        describe: "SHA-256 fingerprint of the cluster's authority, as troca init printed it",
      })
      .option('ca', { type: 'string', describe: 'ca.pem of the cluster, if it is here already' }),
  async handler(flags) {
    const context = new Context(flags)
    const [first = ''] = flags.from
    if (flags.from.length === 1 && existsSync(first)) {
      await joinBundle(context, first, flags.fingerprint)
    } else {
      await joinAddresses(context, flags)
    }
  },
}
