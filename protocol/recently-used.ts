// A map of bounded size that evicts the least recently used key.

export class RecentlyUsed<K, V> {
  readonly #limit: number
  // A Map iterates in order of insertion: the first key is the one used longest ago.
  readonly #entries = new Map<K, V>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get size(): number {
    return this.#entries.size
  }

  /** The value of `key`; an absent one is made by `make` and kept. */
  getOrMake(key: K, make: () => V): V {
    const known = this.#entries.get(key)
    if (known !== undefined) {
      this.#entries.delete(key)
      this.#entries.set(key, known)
      return known
    }
    const value = make()
    this.#entries.set(key, value)
    if (this.#entries.size > this.#limit) {
      for (const oldest of this.#entries.keys()) {
        this.#entries.delete(oldest)
        break
      }
    }
    return value
  }

  clear(): void {
    this.#entries.clear()
  }
}
