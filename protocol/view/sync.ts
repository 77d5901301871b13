// Writes a pulled stretch over the own log: entries that differ after the common place are dropped,
// and the stretch's are added. No entry at or below the own commit index is ever dropped (P3,
// asserted by the tail).

import { isChained, type Entry } from '../entries/entry.js'
import { sameBytes } from '../bytes.js'
import type { Slot } from '../slots.js'
import type { WriteBatch } from '../machine/storage.js'
import type { Place } from '../entries/place.js'
import type { PersistenceContext } from '../persistence/context.js'

interface Stretch {
  readonly from: Slot
  readonly common: Place | null
  readonly entries: readonly Entry[]
}

/** `then` runs once the stretch is durable; never, if the log or the file had changed meanwhile. */
export function syncTo(
  context: PersistenceContext,
  stretch: Stretch,
  extra: Pick<WriteBatch, 'require' | 'promised' | 'commit'>,
  then: () => void,
): void {
  const { log, clock } = context
  // A write that failed after the pull was sent may have removed the common place from the log.
  if (stretch.common && log.has(stretch.common) === false) return
  const fresh = stretch.entries.filter((entry) => {
    const known = log.at(entry.index)
    if (known) return !sameBytes(known.chain, entry.chain)
    return entry.index > log.last || log.has({ index: entry.index, chain: entry.chain }) === false
  })
  const first = fresh[0]
  // From the first entry that differs on, the whole stretch is new.
  const added = first ? stretch.entries.filter((entry) => entry.index >= first.index) : []
  const previous = first && (log.placeAt(first.index - 1) ?? stretch.common)
  if (previous && !isChained(previous.chain, added)) {
    return context.distrust(stretch.from, 'entries that do not follow from each other')
  }
  const before = log.place
  const keep = first ? first.index - 1 : log.last
  const truncates = keep < log.last
  log.truncateAfter(keep)
  for (const entry of added) clock.raise(entry.lamport)
  log.append(added)
  // Entries beyond the stretch have not been compared with the source, so they are not committed by
  // it.
  const compared = (stretch.common?.index ?? 0) + stretch.entries.length
  log.commitThrough(Math.min(extra.commit ?? 0, compared))
  const batch: WriteBatch = {
    require: { ...extra.require, last: before },
    ...(extra.promised && { promised: extra.promised }),
    ...(truncates && { truncateAfter: keep }),
    entries: added,
    commit: log.commit,
  }
  context.persist(batch, (result) => {
    if (result.outcome !== 'written') return
    log.durableThrough(result.durable)
    then()
  })
}
