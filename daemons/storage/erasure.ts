// The erasure that DROP entries ask for: the bodies of the named messages are replaced by their
// hashes, so that the chain still verifies. Mailbox pages do not show erased messages.

import type { Connection, Value } from './connection.js'
import { KIND } from '../../protocol/entries/entry.js'
import { sha256 } from '../../protocol/bytes.js'
import type { NamedDrop } from '../../protocol/entries/drop.js'

export type Step = readonly [sql: string, ...parameters: Value[]]

export interface Erasure {
  readonly steps: readonly Step[]
  /** Indices of the messages that lose their bodies. */
  readonly indices: readonly number[]
}

/** Finds the named messages of the drop's mailbox that still have their bodies. */
const FIND = `
SELECT idx, body FROM entries WHERE idx IN (SELECT value FROM json_each(?1))
AND kind = ${KIND.message} AND mailbox = ?2 AND body_hash IS NULL`

/** ?1: JSON of [index, hash in hex]. */
const ERASE = `
UPDATE entries SET body = x'', body_hash = unhex(hashes.value ->> 1) FROM json_each(?1) AS hashes
WHERE entries.idx = hashes.value ->> 0`

const FORGET = 'DELETE FROM mail WHERE mailbox = ?1 AND idx IN (SELECT value FROM json_each(?2))'

export async function erasureOf(
  connection: Connection,
  drops: readonly NamedDrop[],
): Promise<Erasure> {
  const steps: Step[] = []
  const erased: number[] = []
  for (const { mailbox, indices } of drops) {
    const found = await connection.all<{ idx: number; body: Uint8Array }>(
      FIND,
      JSON.stringify(indices),
      mailbox,
    )
    if (found.length === 0) continue
    const hashes = found.map(({ idx, body }) => [idx, sha256(body).toString('hex')])
    steps.push([ERASE, JSON.stringify(hashes)])
    steps.push([FORGET, mailbox, JSON.stringify(found.map(({ idx }) => idx))])
    erased.push(...found.map(({ idx }) => idx))
  }
  return { steps, indices: erased }
}
