// The messages that the file of a replica holds, with or without their bodies.

import { Connection } from '../../daemons/storage/connection.js'
import { batchesAfter } from '../../daemons/storage/segments.js'
import { lacks, lastOf, metasOf, type Batch } from '../../protocol/entries/batch.js'
import { KIND } from '../../protocol/entries/entry.js'
import type { Replica } from './replica.js'

const STEP = 200

export interface Stored {
  readonly index: number
  readonly mailbox: string
  readonly erased: boolean
}

export async function messagesIn(replica: Replica): Promise<Stored[]> {
  const connection = await Connection.open(replica.place.data, 'read')
  try {
    const batches: Batch[] = []
    for (let more = true; more;) {
      const last = batches.at(-1)
      const found = await batchesAfter(connection, last ? lastOf(last) : 0, STEP)
      batches.push(...found)
      more = found.length > 0
    }
    return batches.flatMap((batch) =>
      metasOf(batch).flatMap(({ index, meta: { kind, mailbox } }, place) =>
        kind === KIND.message ? [{ index, mailbox, erased: lacks(batch, place) }] : [],
      ),
    )
  } finally {
    await connection.close()
  }
}
