// How fast each user sends: a token bucket a user, at each replica for itself. A bucket that has run
// dry is closed until it holds some again, so that a stream of sends is not let through in drops.

export interface Rate {
  /** Of sends, in the long run. */
  readonly perSecond: number
  /** At once, after a pause. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  /** Monotonic ms. */
  at: number
  dry: boolean
}

/** A dry bucket opens again with the sends of so long, s. */
const REOPENS_WITH_S = 0.1
/** Whoever waits as long as told finds no hair missing. */
const ROUNDING = 1e-6
/** Before so many are kept, none is forgotten. */
const MIN_KEPT = 64

export class RateLimiter {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()
  /** Full buckets are forgotten when there are so many. */
  #sweepAt = MIN_KEPT

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Buckets that are not known to be full. */
  get size(): number {
    return this.#buckets.size
  }

  /** 0: one send taken. Otherwise the ms until one may be, rounded up; none is taken. */
  take(user: string, now: number): number {
    const bucket = this.#bucket(user, now)
    const { perSecond, burst } = this.#rate
    const opens = Math.min(burst, Math.max(1, perSecond * REOPENS_WITH_S))
    if (bucket.tokens + ROUNDING < (bucket.dry ? opens : 1)) {
      bucket.dry = true
      return Math.ceil(((opens - bucket.tokens) / perSecond) * 1_000)
    }
    bucket.dry = false
    bucket.tokens--
    return 0
  }

  #bucket(user: string, now: number): Bucket {
    const known = this.#buckets.get(user)
    if (known) {
      known.tokens = this.#tokensOf(known, now)
      known.at = now
      return known
    }
    if (this.#buckets.size >= this.#sweepAt) this.#sweep(now)
    const bucket = { tokens: this.#rate.burst, at: now, dry: false }
    this.#buckets.set(user, bucket)
    return bucket
  }

  #tokensOf({ tokens, at }: Bucket, now: number): number {
    const { perSecond, burst } = this.#rate
    return Math.min(burst, tokens + ((now - at) * perSecond) / 1_000)
  }

  #sweep(now: number): void {
    for (const [user, bucket] of this.#buckets) {
      if (this.#tokensOf(bucket, now) >= this.#rate.burst) this.#buckets.delete(user)
    }
    this.#sweepAt = Math.max(MIN_KEPT, 2 * this.#buckets.size)
  }
}
