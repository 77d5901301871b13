// Logs for tests in a short notation: the kind of each entry, in log order.

import {
  CHAIN_ZERO,
  KIND,
  plainMeta,
  withChain,
  type Entry,
} from '../../../protocol/entries/entry.js'
import { encodeTerm, type Owner } from '../../../protocol/entries/fence.js'
import { LogTail } from '../../../protocol/persistence/tail.js'

export type Step =
  | { readonly term: number; readonly owner: Owner }
  | { readonly k: number; readonly part?: number; readonly parts?: number; readonly body?: string }
  | 'cursors'

export const OWNER: Owner = { slot: 2, boot: 'boot', nonce: 'nonce' }

/** Entries after `before`; each names its own term. */
export function entries(steps: readonly Step[], before: readonly Entry[] = []): Entry[] {
  const log = [...before]
  let term = before.at(-1)?.term ?? 0
  for (const step of steps) {
    const index = log.length + 1
    const at = { index, epoch: { counter: 1, slot: 1 }, lamport: index, time: 1_000 + index }
    const chain = log.at(-1)?.chain ?? CHAIN_ZERO
    const whole = { part: 1, parts: 1 }
    if (step === 'cursors') {
      const draft = { meta: plainMeta(KIND.cursors), body: Buffer.from('[]') }
      log.push(withChain(chain, { ...at, ...whole, ...draft, term: 0, k: 0 }))
    } else if ('owner' in step) {
      term = step.term
      const draft = { meta: plainMeta(KIND.term), body: encodeTerm(step.owner) }
      log.push(withChain(chain, { ...at, ...whole, ...draft, term, k: 0 }))
    } else {
      const { k, part = 1, parts = 1, body = `order ${k}, part ${part}` } = step
      const draft = { meta: plainMeta(KIND.noop), body: Buffer.from(body) }
      log.push(withChain(chain, { ...at, ...draft, term, k, part, parts }))
    }
  }
  return log.slice(before.length)
}

/** A log in memory with these entries, all durable, none committed. */
export function logOf(steps: readonly Step[]): LogTail {
  const log = LogTail.empty()
  log.append(entries(steps))
  log.durableThrough({ last: log.last, chain: log.placeAt(log.last)!.chain })
  return log
}
