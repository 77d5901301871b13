// Cuts a group of batches into REPLICATE frames, each with the place before it, and appends such a
// frame at a member: batches known there must be equal, new ones must continue the chain.

import { invariant } from '../assert.js'
import type { LamportClock } from '../clocks/lamport.js'
import { assertGapless, isChained, lastOf, weighBatch, type Batch } from '../entries/batch.js'
import type { Place } from '../entries/place.js'
import type { LogTail } from './tail.js'

interface FramePart {
  /** The place before the first batch. */
  readonly previous: Place
  readonly batches: readonly Batch[]
}

/** Frames in log order. A batch larger than the bound has a frame to itself. */
export function cutFrames(
  previous: Place,
  batches: readonly Batch[],
  frameBytes: number,
): FramePart[] {
  const parts: FramePart[] = []
  let before = previous
  for (let rest = batches; rest.length > 0;) {
    const part = stretch(rest, { entries: Infinity, bytes: frameBytes })
    parts.push({ previous: before, batches: part })
    const end = part.at(-1)!
    before = { index: lastOf(end), chain: end.chain }
    rest = rest.slice(part.length)
  }
  return parts
}

/** The first batches that fit both bounds, one in any case. */
export function stretch(
  batches: readonly Batch[],
  most: { readonly entries: number; readonly bytes: number },
): Batch[] {
  const out: Batch[] = []
  let bytes = 0
  for (const batch of batches) {
    bytes += weighBatch(batch)
    const entries = lastOf(batch) - batches[0]!.first + 1
    if (out.length > 0 && (bytes > most.bytes || entries > most.entries)) break
    out.push(batch)
  }
  return out
}

/**
 * Appends and returns the new ones of the batches after `after`, which are of the same view's log.
 * null: they do not continue the own log, and none is appended.
 */
export function takeStretch(
  log: LogTail,
  clock: LamportClock,
  after: number,
  batches: readonly Batch[],
): Batch[] | null {
  assertGapless(after, batches)
  for (const batch of batches) {
    const index = lastOf(batch)
    if (index > log.last || index < log.first) continue
    const known = log.has({ index, chain: batch.chain }) === true
    invariant(known, `P2: other chain at ${index}`)
  }
  const fresh = batches.filter((batch) => lastOf(batch) > log.last)
  if (!isChained(log.chain, fresh)) return null
  for (const { lamport } of fresh) clock.raise(lamport)
  log.append(fresh)
  return fresh
}
