// Rate limits of sends: one token bucket for each user, at each replica by itself. An empty bucket
// stays closed until it holds tokens for a while, so that sends do not pass one by one.

export interface Rate {
  /** Sends in the long run. */
  readonly perSecond: number
  /** Sends at once after a pause. */
  readonly burst: number
}

interface Bucket {
  tokens: number
  /** Monotonic ms. */
  at: number
  dry: boolean
}

/** An empty bucket reopens with the tokens of this time, s. */
const REOPENS_WITH_S = 0.1
/** Tolerance for rounding: a client that waits exactly `retryAfter` ms must be let through. */
const ROUNDING = 1e-6
/** Full buckets are forgotten only when more than this number are kept. */
const MIN_KEPT = 64
/** Above this number, the older half of the buckets is forgotten, full or not. */
const MAX_KEPT = 65_536

export class RateLimiter {
  readonly #rate: Rate
  readonly #buckets = new Map<string, Bucket>()
  /** Number of buckets at which full ones are forgotten. */
  #sweepAt = MIN_KEPT

  constructor(rate: Rate) {
    this.#rate = rate
  }

  /** Buckets kept; those of other users are full. */
  get size(): number {
    return this.#buckets.size
  }

  /**
   * 0: one send is counted. Otherwise the ms until a send may pass, rounded up; nothing is counted.
   */
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
    const most = this.#buckets.size >= MAX_KEPT ? MAX_KEPT / 2 : MAX_KEPT
    for (const user of this.#buckets.keys()) {
      if (this.#buckets.size <= most) break
      this.#buckets.delete(user)
    }
    this.#sweepAt = Math.min(MAX_KEPT, Math.max(MIN_KEPT, 2 * this.#buckets.size))
  }
}
