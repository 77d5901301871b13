// Writes a pulled stretch over the own log: batches that differ after the common place are dropped,
// and the stretch's are added. No entry at or below the own commit index is ever dropped (P3,
// asserted by the tail).

import { isChained, lastOf, type Batch } from '../entries/batch.js'
import type { Slot } from '../slots.js'
import type { Transaction } from '../machine/storage.js'
import type { Place } from '../entries/place.js'
import type { PersistenceContext } from '../persistence/context.js'

interface Stretch {
  readonly from: Slot
  readonly common: Place | null
  readonly batches: readonly Batch[]
}

/** `then` runs once the stretch is durable; never, if the log or the file had changed meanwhile. */
export function syncTo(
  context: PersistenceContext,
  stretch: Stretch,
  extra: Pick<Transaction, 'require' | 'promised' | 'commit'>,
  then: () => void,
): void {
  const { log, clock } = context
  // A write that failed after the pull was sent may have removed the common place from the log.
  if (stretch.common && log.has(stretch.common) === false) return
  const differs = (batch: Batch): boolean =>
    log.has({ index: lastOf(batch), chain: batch.chain }) === false
  const from = stretch.batches.findIndex(differs)
  // From the first batch that differs on, the whole stretch is new.
  const added = from < 0 ? [] : stretch.batches.slice(from)
  const keep = added[0] ? added[0].first - 1 : log.last
  const previous = added[0] && (log.placeAt(keep) ?? stretch.common)
  if (previous && !isChained(previous.chain, added)) {
    return context.distrust(stretch.from, 'batches that do not follow from each other')
  }
  const before = log.place
  const truncates = keep < log.last
  log.truncateAfter(keep)
  for (const { lamport } of added) clock.raise(lamport)
  log.append(added)
  // Batches beyond the stretch have not been compared with the source, so they are not committed by
  // it.
  const end = stretch.batches.at(-1)
  const compared = end ? lastOf(end) : (stretch.common?.index ?? 0)
  log.commitThrough(Math.min(extra.commit ?? 0, compared))
  const write: Transaction = {
    require: { ...extra.require, last: before },
    ...(extra.promised && { promised: extra.promised }),
    ...(truncates && { truncateAfter: keep }),
    batches: added,
    commit: log.commit,
  }
  context.persist(write, (result) => {
    if (result.outcome !== 'written') return
    log.durableThrough(result.durable)
    then()
  })
}
