// A histogram of durations, as Prometheus defines it. A machine measures with the time that its
// inputs bring, so the resolution is one millisecond.

const BOUNDS_MS = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]

export class Durations {
  readonly #within = BOUNDS_MS.map(() => 0)
  #count = 0
  #sumMs = 0

  add(ms: number): void {
    this.#count++
    this.#sumMs += ms
    const at = BOUNDS_MS.findIndex((bound) => ms <= bound)
    if (at >= 0) this.#within[at]!++
  }

  get count(): number {
    return this.#count
  }

  get sumSeconds(): number {
    return this.#sumMs / 1_000
  }

  /** Counts of durations up to each bound, in seconds: cumulative, the last bound is Infinity. */
  buckets(): { readonly seconds: number; readonly count: number }[] {
    let count = 0
    const bounded = BOUNDS_MS.map((bound, i) => {
      count += this.#within[i]!
      return { seconds: bound / 1_000, count }
    })
    return [...bounded, { seconds: Infinity, count: this.#count }]
  }
}
