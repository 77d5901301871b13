// A group of entries as REPLICATE frames: each says what it follows.

import { weigh, type Entry } from './entry.js'
import type { Place } from './storage.js'

/** Entries of one frame, in bytes: well below what a frame between replicas may be. */
const FRAME_BYTES = 160 * 1024

export interface FramePart {
  /** The place before the first entry. */
  readonly previous: Place
  readonly entries: readonly Entry[]
}

/** In order; an entry that is larger than a frame's share has one to itself. */
export function cutFrames(previous: Place, entries: readonly Entry[]): FramePart[] {
  const parts: FramePart[] = []
  let before = previous
  let part: Entry[] = []
  let bytes = 0
  for (const entry of entries) {
    const size = weigh(entry) + 64
    if (part.length > 0 && bytes + size > FRAME_BYTES) {
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
