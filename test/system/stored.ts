// The messages that the file of a replica holds, with or without their bodies.

import { Connection } from '../../daemons/storage/connection.js'
import { BATCH_COLUMNS, batchOf, type BatchRow } from '../../daemons/storage/schema.js'
import { lacks, metasOf } from '../../protocol/entries/batch.js'
import { KIND } from '../../protocol/entries/entry.js'
import type { Replica } from './replica.js'

export interface Stored {
  readonly index: number
  readonly mailbox: string
  readonly erased: boolean
}

export async function messagesIn(replica: Replica): Promise<Stored[]> {
  const connection = await Connection.open(replica.place.data, 'read')
  try {
    const sql = `SELECT ${BATCH_COLUMNS} FROM batches ORDER BY last`
    const batches = (await connection.all<BatchRow>(sql)).map(batchOf)
    return batches.flatMap((batch) =>
      metasOf(batch).flatMap(({ index, meta: { kind, mailbox } }, place) =>
        kind === KIND.message ? [{ index, mailbox, erased: lacks(batch, place) }] : [],
      ),
    )
  } finally {
    await connection.close()
  }
}
