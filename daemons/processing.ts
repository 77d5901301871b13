// A processing replica as a process: node dist/daemons/processing.js --config FILE --slot N

import { randomBytes } from 'node:crypto'
import { mkdirSync } from 'node:fs'
import { dirname } from 'node:path'
import { runDaemon } from './daemon.js'
import type { Parts } from './daemon.js'
import { SnapshotFile } from './storage/snapshot-file.js'
import { WorkerPool } from './workers/pool.js'
import { ContentKeys, recipientKeyOf } from '../protocol/envelope/content-keys.js'
import type { RecipientKey } from '../protocol/envelope/content-keys.js'
import type { Suite } from '../protocol/envelope/header.js'
import type { Seal, SealInput } from '../protocol/envelope/seal.js'
import type { LinkId } from '../protocol/machine/machine.js'
import { RETENTION } from '../protocol/machine/config.js'
import { ProcessingReplica } from '../protocol/replicas/processing.js'

/** The cast is sound: `readKey` makes every recipient key, so each one is a `RecipientKey`. */
function makeSeal(suite: Suite): Seal {
  const keys = new ContentKeys(undefined, suite)
  return (input) => keys.seal(input as SealInput & { readonly recipientKey: RecipientKey })
}

runDaemon('processing', async ({ config, self, paths, log }): Promise<Parts> => {
  mkdirSync(dirname(paths.data), { recursive: true })
  const snapshot = await SnapshotFile.open(paths.data, (reason) =>
    log('warn', 'snapshot-removed', { file: paths.data, reason }),
  )
  const machine = new ProcessingReplica({
    clusterId: self.clusterId,
    historyId: self.historyId,
    self: self.slot,
    slots: self.processing,
    stores: self.persistence,
    boot: self.boot,
    entropy: randomBytes,
    timings: config.timings,
    limits: config.limits,
    registration: config.registration,
    retention: { ...RETENTION, rule: config.retention },
    seal: makeSeal(config.suite),
    readKey: recipientKeyOf,
    snapshots: { stored: snapshot.stored },
  })
  const coordinator = () => machine.coordinatorSlot
  const notReady = () =>
    machine.catchingUp ?? (coordinator() === 0 ? 'no coordinator is known' : null)
  const userOf = (link: LinkId) => machine.userOf(link)
  return { machine, snapshot, workers: new WorkerPool(), coordinator, userOf, notReady }
})
