// Makes logs for the tests of the store: chained entries of any kind.

import { encodeDrop } from '../../../protocol/entries/drop.js'
import {
  KIND,
  CHAIN_ZERO,
  encodeMeta,
  plainMeta,
  withChain,
  type Draft,
  type Entry,
} from '../../../protocol/entries/entry.js'
import type { Genesis } from '../../../protocol/machine/storage.js'
import type { Place } from '../../../protocol/entries/place.js'
import type { Incarnation } from '../../../protocol/entries/incarnation.js'
import { encodeTerm } from '../../../protocol/entries/fence.js'

export const GENESIS: Genesis = { clusterId: 'troca-test', slots: 3 }
export const INCARNATION: Incarnation = { counter: 1, nonce: '' }
export const START: Place = { index: 0, chain: CHAIN_ZERO }
export const OWNER = { slot: 2, boot: 'b00t', nonce: 'n0nce' }

const NONE = new Uint8Array(0)

export function messageDraft(mailbox: string, stream: number, seq: number, bytes = 100): Draft {
  const streamId = new Uint8Array(16).fill(stream)
  const digest = new Uint8Array(32).fill(seq)
  return {
    meta: encodeMeta({ kind: KIND.message, answer: 0, mailbox, stream: streamId, seq, digest }),
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

/** Entries made of drafts after `place`, in the given term; k counts on from `k`. */
export function chained(after: Place, drafts: readonly Draft[], term = 1, k = 1): Entry[] {
  const entries: Entry[] = []
  let { index, chain } = after
  for (const draft of drafts) {
    index++
    const own = { term, k: k + entries.length, part: 1, parts: 1 }
    const stamps = { lamport: 2 * index, time: 1_790_000_000_000 + index }
    const entry = { ...draft, index, epoch: { counter: 1, slot: 2 }, ...own, ...stamps }
    entries.push(withChain(chain, entry))
    chain = entries.at(-1)!.chain
  }
  return entries
}
