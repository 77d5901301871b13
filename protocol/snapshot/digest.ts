// The digest of a committed state: equal states have equal digests (G1).

import { createHash } from 'node:crypto'
import type { Ledger } from '../state/ledger.js'
import { RECORD } from '../state/record-key.js'
import { headOf, recordOf } from './record.js'

/**
 * Marks are left out: after a rebuild they may be ahead of the rest, and execution never reads them.
 */
export function stateDigest(ledger: Ledger): string {
  const digest = createHash('sha256')
  const { place, ...rest } = headOf(ledger, { clusterId: '', historyId: '' })
  digest.update(JSON.stringify([place.index, Buffer.from(place.chain).toString('hex'), rest]))
  for (const key of [...ledger.recordKeys()].sort()) {
    if (key[0] === RECORD.marks) continue
    const { value } = recordOf(ledger, key)
    if (value) digest.update(JSON.stringify([key, Buffer.from(value).toString('hex')]))
  }
  return digest.digest('hex')
}
