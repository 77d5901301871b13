// The timers of one client. One interval serves buckets of 25 ms, so that a deadline costs an entry
// in a set instead of a timer. The interval runs only while a deadline is set.

const GRAIN_MS = 25

export interface Deadline {
  readonly bucket: number
  readonly due: () => void
}

export class Deadlines {
  readonly #buckets = new Map<number, Set<Deadline>>()
  #timer: NodeJS.Timeout | null = null
  #done = 0

  /** Calls `due` after `afterMs`, at most 25 ms late. */
  set(afterMs: number, due: () => void): Deadline {
    if (!this.#timer) {
      this.#done = this.#bucketNow()
      this.#timer = setInterval(this.#tick, GRAIN_MS)
    }
    const bucket = Math.floor((performance.now() + afterMs) / GRAIN_MS) + 1
    const deadline = { bucket, due }
    const others = this.#buckets.get(bucket)
    if (others) others.add(deadline)
    else this.#buckets.set(bucket, new Set([deadline]))
    return deadline
  }

  clear(deadline: Deadline | null): void {
    if (!deadline) return
    this.#buckets.get(deadline.bucket)?.delete(deadline)
  }

  stop(): void {
    if (this.#timer) clearInterval(this.#timer)
    this.#timer = null
    this.#buckets.clear()
  }

  #bucketNow(): number {
    return Math.floor(performance.now() / GRAIN_MS)
  }

  readonly #tick = (): void => {
    const now = this.#bucketNow()
    while (this.#done < now) {
      const bucket = this.#buckets.get(++this.#done)
      this.#buckets.delete(this.#done)
      if (bucket) for (const deadline of bucket) deadline.due()
    }
    if (this.#buckets.size === 0) this.stop()
  }
}
