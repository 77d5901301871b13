// Makes logs for the tests of the store: chained batches of entries of any kind.

import {
  CHAIN_ZERO,
  entriesOf,
  lastOf,
  packDrafts,
  withChain,
  type Batch,
} from '../../../protocol/entries/batch.js'
import { encodeDrop } from '../../../protocol/entries/drop.js'
import { KIND, encodeMeta, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import type { Genesis, StoredMessage } from '../../../protocol/machine/storage.js'
import type { Place } from '../../../protocol/entries/place.js'
import type { Incarnation } from '../../../protocol/entries/incarnation.js'
import { envelopeOf } from '../../../protocol/entries/message.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'

export const GENESIS: Genesis = { clusterId: 'troca-test', historyId: 'first', slots: 3 }
export const INCARNATION: Incarnation = { counter: 1, nonce: '' }
export const START: Place = { index: 0, chain: CHAIN_ZERO }
export const OWNER = { slot: 2, boot: 'b00t', nonce: 'n0nce' }

const NONE = new Uint8Array(0)

export function messageDraft(mailbox: string, stream: number, seq: number, bytes = 100): Draft {
  const streamId = new Uint8Array(16).fill(stream)
  const digest = new Uint8Array(32).fill(seq)
  return {
    meta: { kind: KIND.message, answer: 0, mailbox, stream: streamId, seq, digest },
    body: Buffer.alloc(bytes, `${mailbox} ${stream} ${seq} `),
  }
}

export const termDraft: Draft = { meta: plainMeta(KIND.term), body: encodeTerm(OWNER) }

export const dropDraft = (mailbox: string, indices: readonly number[]): Draft => ({
  meta: plainMeta(KIND.drop, 0, mailbox),
  body: encodeDrop(indices),
})

/** The end of an account, with an arbitrary body: the store does not read it. */
export const closedDraft = (mailbox: string): Draft => ({
  meta: plainMeta(KIND.closed, 0, mailbox),
  body: NONE,
})

export const noteDraft: Draft = { meta: plainMeta(KIND.noop), body: Buffer.from('[0,0]') }

/** A batch of each draft, or list of drafts, after `place`, in the given term; k counts on. */
export function chained(
  after: Place,
  orders: readonly (Draft | readonly Draft[])[],
  term = 1,
  k = 1,
): Batch[] {
  const batches: Batch[] = []
  let place = after
  for (const drafts of orders) {
    const first = place.index + 1
    const own = { term, k: k + batches.length, epoch: { counter: 1, slot: 2 } }
    const stamps = { lamport: 2 * first, time: 1_790_000_000_000 + first }
    const contents = packDrafts('meta' in drafts ? [drafts] : drafts)
    const batch = withChain(place.chain, { first, ...own, ...stamps, ...contents })
    batches.push(batch)
    place = endOf(batch)
  }
  return batches
}

export const endOf = (batch: Batch): Place => ({ index: lastOf(batch), chain: batch.chain })

/** The messages of these batches as a mailbox page has them. */
export function storedIn(batches: readonly Batch[], mailbox: string): StoredMessage[] {
  return batches
    .flatMap(entriesOf)
    .filter(({ meta, body }) => meta.mailbox === mailbox && body.length > 0)
    .map((entry) => {
      const { index, time, meta } = entry
      return { index, time, meta: encodeMeta(meta), envelope: envelopeOf(entry) }
    })
}
