// The gap of one failover and its parts, which the logs of the survivors tell by their times.

import type { LogLine } from '../system/replica.js'

/** The events of the log that end a part of the gap, in order; the receipt ends the last. */
export const STEPS = {
  coordinator: [
    { part: 'noticing and electing', until: 'claiming' },
    { part: 'claiming and rebuilding', until: 'coordinator' },
    { part: 'resending', until: null },
  ],
  holder: [
    { part: 'noticing', until: 'view-proposed' },
    { part: 'agreeing on a view', until: 'view-active' },
    { part: 'appending and resending', until: null },
  ],
} as const

export type Victim = keyof typeof STEPS

export interface Failover {
  readonly replica: string
  readonly gapMs: number
  /** Milliseconds by part; null: the logs lack an event of this course. */
  readonly parts: Readonly<Record<string, number>> | null
  /** The longest gap from the restart until the replica has caught up. */
  readonly rejoinGapMs: number
}

/**
 * Parts of the time from the kill to the receipt that ended the gap. Times are wall-clock ms. The
 * first event of each kind counts: a claim that failed is part of claiming.
 */
export function partsOf(
  victim: Victim,
  lines: readonly LogLine[],
  killedAt: number,
  endedAt: number,
): Record<string, number> | null {
  const parts: Record<string, number> = {}
  let from = killedAt
  for (const { part, until } of STEPS[victim]) {
    const start = from
    const times = lines.flatMap(({ event, at }) => (event === until ? [Date.parse(at)] : []))
    const within = times.filter((time) => time >= start && time <= endedAt)
    const to = until === null ? endedAt : Math.min(...within)
    if (to === Infinity) return null
    parts[part] = to - from
    from = to
  }
  return parts
}

/** Notices the longest time between two receipts. */
export class Pulse {
  readonly #now: () => number
  #count = 0
  #lastAt: number
  #longest = { ms: 0, endedAt: 0 }

  /** `now`: monotonic ms. */
  constructor(now = (): number => performance.now()) {
    this.#now = now
    this.#lastAt = now()
  }

  beat(): void {
    const now = this.#now()
    const ms = now - this.#lastAt
    if (ms > this.#longest.ms) this.#longest = { ms, endedAt: Date.now() }
    this.#lastAt = now
    this.#count++
  }

  get count(): number {
    return this.#count
  }

  /** The longest gap that has ended since `begin`; `endedAt` is in wall-clock ms. */
  get longest(): { readonly ms: number; readonly endedAt: number } {
    return this.#longest
  }

  /** Forgets earlier gaps; the present one still counts whole. */
  begin(): void {
    this.#longest = { ms: 0, endedAt: 0 }
  }
}
