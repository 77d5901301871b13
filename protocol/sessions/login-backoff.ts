// Waits after wrong passwords. They are counted by (account, address), so that guesses from
// elsewhere do not lock the account's owner out; and by address over all accounts. Names count
// whether or not such an account exists, so that the wait does not tell. Each replica counts for
// itself.

export interface BackOff {
  /**
   * Wrong passwords that cost no wait: of one account from one address, and of one address in all.
   */
  readonly perPair: number
  readonly perAddress: number
  /** The longest wait, ms. */
  readonly maxMs: number
}

/** First wait; each further wrong password doubles it. */
const FIRST_WAIT_MS = 1_000
/** Wrong passwords are forgotten after this time without another. */
const FORGET_MS = 900_000
/** Above this number of keys, the older half is forgotten. */
const MAX_KEPT = 65_536
const MIN_KEPT = 64

interface Failures {
  readonly count: number
  /** Time of the last wrong password, monotonic ms. */
  readonly at: number
}

class Counts {
  readonly #free: number
  readonly #maxMs: number
  /** In order of the last failure, the newest at the end. */
  readonly #of = new Map<string, Failures>()
  #sweepAt = MIN_KEPT

  constructor(free: number, maxMs: number) {
    this.#free = free
    this.#maxMs = maxMs
  }

  get size(): number {
    return this.#of.size
  }

  count(key: string, now: number): number {
    const known = this.#of.get(key)
    return known && now - known.at < FORGET_MS ? known.count : 0
  }

  waitMs(key: string, now: number): number {
    const beyond = this.count(key, now) - this.#free
    if (beyond < 0) return 0
    const wait = Math.min(FIRST_WAIT_MS * 2 ** beyond, this.#maxMs)
    return Math.max(0, this.#of.get(key)!.at + wait - now)
  }

  failed(key: string, now: number): void {
    const count = this.count(key, now) + 1
    this.#of.delete(key)
    this.#of.set(key, { count, at: now })
    if (this.#of.size > this.#sweepAt) this.#sweep(now)
  }

  #sweep(now: number): void {
    const most = this.#of.size > MAX_KEPT ? MAX_KEPT / 2 : MAX_KEPT
    for (const [oldest, { at }] of this.#of) {
      if (this.#of.size <= most && now - at < FORGET_MS) break
      this.#of.delete(oldest)
    }
    this.#sweepAt = Math.min(MAX_KEPT, Math.max(MIN_KEPT, 2 * this.#of.size))
  }

  forget(key: string): void {
    this.#of.delete(key)
  }
}

export class LoginBackoff {
  readonly #pairs: Counts
  readonly #addresses: Counts
  readonly #free: number

  constructor({ perPair, perAddress, maxMs }: BackOff) {
    this.#pairs = new Counts(perPair, maxMs)
    this.#addresses = new Counts(perAddress, maxMs)
    this.#free = perPair
  }

  /** Pairs and addresses with wrong passwords that are counted. */
  get size(): number {
    return this.#pairs.size + this.#addresses.size
  }

  /** 0: a password may be tried now. */
  waitMs(name: string, origin: string, now: number): number {
    const pair = this.#pairs.waitMs(pairOf(name, origin), now)
    return Math.max(pair, this.#addresses.waitMs(origin, now))
  }

  /** After so many wrong passwords, the next attempts are admitted one at a time. */
  isSuspect(name: string, origin: string, now: number): boolean {
    return this.#pairs.count(pairOf(name, origin), now) >= this.#free
  }

  failed(name: string, origin: string, now: number): void {
    this.#pairs.failed(pairOf(name, origin), now)
    this.#addresses.failed(origin, now)
  }

  /**
   * The address stays counted: otherwise logging in to an own account would make guesses at others
   * free.
   */
  succeeded(name: string, origin: string): void {
    this.#pairs.forget(pairOf(name, origin))
  }
}

export function pairOf(name: string, origin: string): string {
  return `${origin} ${name}`
}
