// A persistence replica as a process: node dist/daemons/persistence.js --config FILE --slot N

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { runDaemon } from './daemon.js'
import type { Context, Parts } from './daemon.js'
import { StoreUnsound } from './storage/recover.js'
import { Store } from './storage/store.js'
import type { Recovered } from '../protocol/machine/storage.js'
import { PersistenceReplica } from '../protocol/replicas/persistence.js'

/**
 * Opens the file. A missing or unsound one is replaced by an empty one: the replica is a learner.
 */
async function openStore({
  paths,
  log,
}: Context): Promise<{ store: Store; recovered: Recovered | null }> {
  mkdirSync(dirname(paths.data), { recursive: true })
  try {
    const opened = await Store.open(paths.data)
    if (opened) return opened
    log('warn', 'file-missing', { file: paths.data })
  } catch (error) {
    if (!(error instanceof StoreUnsound)) throw error
    log('error', 'file-unsound', { file: Store.setAside(paths.data), reason: error.reason })
  }
  return { store: await Store.createEmpty(paths.data), recovered: null }
}

runDaemon('persistence', async (context): Promise<Parts> => {
  const { config, self, paths, log } = context
  const { store, recovered } = await openStore(context)
  const { clusterId, historyId, persistence: slots } = self
  const genesis = recovered?.genesis
  if (genesis && (genesis.clusterId !== clusterId || genesis.slots !== slots)) {
    const holds = `cluster ${genesis.clusterId} with ${genesis.slots} persistence replicas`
    const is = `the configuration names ${clusterId} with ${slots}`
    throw new Error(`${paths.data} belongs to ${holds}; ${is}`)
  }
  if (genesis && genesis.historyId !== historyId) {
    const is = `${paths.data} is of history ${genesis.historyId}`
    const needed = `the configuration names ${historyId}, of a log that was restored or recovered`
    const next = `take the file of that log, or move ${paths.data} away to begin as a learner`
    throw new Error(`${is}; ${needed}; ${next}`)
  }
  if (!(await store.canShrink())) {
    const reason = 'it is of an earlier version: it uses room again, and gives none back'
    log('warn', 'file-keeps-its-size', { file: paths.data, reason })
  }
  const machine = new PersistenceReplica({
    clusterId,
    historyId,
    self: self.slot,
    slots,
    recovered,
    entropy: randomBytes,
    timings: config.timings,
  })
  const notReady = () =>
    machine.metrics()['troca_view_normal'] === 1 ? null : 'not a member of an active view'
  return { machine, store, coordinator: () => 0, userOf: () => null, notReady }
})
