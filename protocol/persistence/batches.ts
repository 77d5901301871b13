// Cuts a group of entries into REPLICATE frames, each with the place before it, and appends such a
// frame at a member: entries known there must be equal, new ones must continue the chain.

import { invariant } from '../assert.js'
import type { LamportClock } from '../clocks/lamport.js'
import { isChained, weigh, type Entry } from '../entries/entry.js'
import { sameBytes } from '../bytes.js'
import type { Place } from '../entries/place.js'
import type { LogTail } from './tail.js'

export interface FramePart {
  /** The place before the first entry. */
  readonly previous: Place
  readonly entries: readonly Entry[]
}

/** Frames in log order. An entry larger than the bound has a frame to itself. */
export function cutFrames(
  previous: Place,
  entries: readonly Entry[],
  frameBytes: number,
): FramePart[] {
  const parts: FramePart[] = []
  let before = previous
  let part: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    const size = weigh(entry) + 64
    if (part.length > 0 && bytes + size > frameBytes) {
      parts.push({ previous: before, entries: part })
      const last = part.at(-1)!
      before = { index: last.index, chain: last.chain }
      part = []
      bytes = 0
    }
    part.push(entry)
    bytes += size
  }
  if (part.length > 0) parts.push({ previous: before, entries: part })
  return parts
}

/**
 * Appends and returns the new ones of the entries after `after`, which are of the same view's log.
 * null: they do not continue the own log, and none is appended.
 */
export function takeStretch(
  log: LogTail,
  clock: LamportClock,
  after: number,
  entries: readonly Entry[],
): Entry[] | null {
  invariant(entries[0] === undefined || entries[0].index === after + 1, 'log: entries out of order')
  for (const entry of entries) {
    const known = log.at(entry.index)
    if (known) invariant(sameBytes(known.chain, entry.chain), `P2: other chain at ${entry.index}`)
  }
  const fresh = entries.filter(({ index }) => index > log.last)
  if (!isChained(log.chain, fresh)) return null
  for (const entry of fresh) clock.raise(entry.lamport)
  log.append(fresh)
  return fresh
}
