// Logs for tests in a short notation: what each batch is, in log order.

import {
  CHAIN_ZERO,
  lastOf,
  packDrafts,
  withChain,
  type Batch,
} from '../../../protocol/entries/batch.js'
import { KIND, plainMeta, type Draft } from '../../../protocol/entries/entry.js'
import { encodeTerm, type Owner } from '../../../protocol/entries/fence.js'
import { LogTail } from '../../../protocol/persistence/tail.js'

export type Step =
  | { readonly term: number; readonly owner: Owner }
  | { readonly k: number; readonly entries?: number; readonly body?: string }
  | 'marks'

export const OWNER: Owner = { slot: 2, boot: 'boot', nonce: 'nonce' }

/** The drafts of an order of so many entries. */
export function draftsOf(k: number, entries = 1, body = `order ${k}`): Draft[] {
  return Array.from({ length: entries }, (_, place) => ({
    meta: plainMeta(KIND.noop),
    body: Buffer.from(`${body}, entry ${place}`),
  }))
}

function contentsOf(step: Step): Draft[] {
  if (step === 'marks') return [{ meta: plainMeta(KIND.marks), body: Buffer.from('[]') }]
  if ('owner' in step) return [{ meta: plainMeta(KIND.term), body: encodeTerm(step.owner) }]
  return draftsOf(step.k, step.entries, step.body)
}

/** Batches after `before`, each of one entry unless it says otherwise. */
export function batches(steps: readonly Step[], before: readonly Batch[] = []): Batch[] {
  const log = [...before]
  let term = before.at(-1)?.term ?? 0
  for (const step of steps) {
    const end = log.at(-1)
    const first = end ? lastOf(end) + 1 : 1
    if (step !== 'marks' && 'owner' in step) term = step.term
    const order = step === 'marks' ? { term: 0, k: 0 } : { term, k: 'owner' in step ? 0 : step.k }
    const at = { first, epoch: { counter: 1, slot: 1 }, lamport: first, time: 1_000 + first }
    const contents = packDrafts(contentsOf(step))
    log.push(withChain(end?.chain ?? CHAIN_ZERO, { ...at, ...order, ...contents }))
  }
  return log.slice(before.length)
}

/** A log in memory with these batches, all durable, none committed. */
export function logOf(steps: readonly Step[]): LogTail {
  const log = LogTail.empty()
  log.append(batches(steps))
  log.durableThrough({ last: log.last, chain: log.chain })
  return log
}
